import { type LookupFunction, isIP } from 'node:net';
import { callbackify } from 'node:util';
import { Agent, fetch as undiciFetch } from 'undici';
import { resolveHost, systemResolve, type Resolve } from '../http/resolve-host.ts';

/**
 * fetch that connects only to addresses that were resolved and checked, and follows no redirects: a server's address comes from
 * users, and must not lead into the network of whoever calls it.
 */
export function createGuardedFetch(
  allowedHosts: readonly string[],
  resolve: Resolve = systemResolve,
): { fetch: typeof fetch; close: () => Promise<void> } {
  const lookupOf = (url: URL): LookupFunction => {
    const resolved = callbackify(() => resolveHost(url, allowedHosts, resolve));
    return (_hostname, options, callback) =>
      resolved((error, addresses) => {
        if (error) callback(error, '', 4);
        else if (options.all) callback(null, [...addresses]);
        else callback(null, addresses[0]!.address, addresses[0]!.family);
      });
  };
  const agents = new Map<string, Agent>();
  const agentOf = (url: URL): Agent => {
    const known = agents.get(url.origin);
    if (known) return known;
    const agent = new Agent({ connect: { lookup: lookupOf(url) }, headersTimeout: 0, bodyTimeout: 0 });
    agents.set(url.origin, agent);
    return agent;
  };
  const guarded = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) await resolveHost(url, allowedHosts, resolve);
    const options = { ...init, redirect: 'error', dispatcher: agentOf(url) };
    return undiciFetch(url, options as Parameters<typeof undiciFetch>[1]) as Promise<unknown> as Promise<Response>;
  };
  return {
    fetch: guarded,
    close: async () => void (await Promise.all([...agents.values()].map((agent) => agent.destroy()))),
  };
}
