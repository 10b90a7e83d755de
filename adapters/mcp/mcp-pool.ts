import { AppError } from '../../domain/errors.ts';
import { chooseReplica, type Replica } from '../../domain/tools/choose-replica.ts';
import type { McpServer } from '../../domain/tools/mcp-server.ts';
import { createTransport, type TransportPolicy } from './create-transport.ts';
import { connectMcp, type McpConnection } from './mcp-connection.ts';
import { closeSite, evictIdle, newSite, settle, type Site, useSite } from './replica-site.ts';

/** A server with what it takes to reach it. */
export type OpenServer = McpServer & { secrets: Readonly<Record<string, string>> };

export type McpPool = {
  /** Hands out a connection to a replica; how `use` ends tells how the replica does. @throws TOOL_SERVER_UNAVAILABLE */
  with<Result>(
    server: OpenServer,
    signal: AbortSignal,
    use: (connection: McpConnection) => Promise<Result>,
  ): Promise<Result>;
  /** How the replicas of a server have been doing in this process. */
  health(server: OpenServer): (Replica & { connections: number })[];
  close(): Promise<void>;
};

export type McpPoolOptions = {
  policy: TransportPolicy;
  onToolsChanged?: (server: Pick<McpServer, 'tenantId' | 'id'>) => void;
  now?: () => number;
  random?: () => number;
};

type Entry = { revision: number; sites: Site[]; turn: number };
const CONNECT_MS = 30_000;

/**
 * Connections are kept and shared: a process a call costs half a second. One entry for each server of a tenant; a changed
 * registration, credentials included, gets new connections.
 */
export function createMcpPool(options: McpPoolOptions): McpPool {
  const { policy, onToolsChanged = () => undefined, now = Date.now, random = Math.random } = options;
  const entries = new Map<string, Entry>();
  const connect = async (server: OpenServer, { url }: Site): Promise<McpConnection> =>
    connectMcp(await createTransport(server, url, server.secrets, policy), {
      signal: AbortSignal.timeout(CONNECT_MS),
      timeoutMs: CONNECT_MS,
      onToolsChanged: () => onToolsChanged(server),
    });
  return {
    async with(server, signal, use) {
      const site = siteFor(entryOf(entries, server), server, { now: now(), random: random() });
      const began = now();
      site.active += 1;
      try {
        const { id, poolSize } = server;
        const request = { server: id, poolSize, connect: () => connect(server, site), use };
        const result = await useSite(site, request, now);
        settle(site, { tookMs: now() - began });
        return result;
      } catch (error) {
        if (!signal.aborted && isOutage(error)) settle(site, { failedAt: now(), random: random() });
        throw error;
      } finally {
        site.active -= 1;
      }
    },
    health: (server) =>
      entryOf(entries, server).sites.map(({ pooled, openUntil, ...site }) => ({
        ...site,
        open: openUntil > now(),
        connections: pooled.length,
      })),
    close: async () => {
      await Promise.all([...entries.values()].flatMap(({ sites }) => sites.map(closeSite)));
      entries.clear();
    },
  };
}

function entryOf(entries: Map<string, Entry>, server: OpenServer): Entry {
  const key = `${server.tenantId}/${server.id}`;
  const known = entries.get(key);
  if (known?.revision === server.revision) return known;
  for (const site of known?.sites ?? []) void closeSite(site);
  const replicas = server.transport === 'stdio' ? [{ url: 'stdio:', weight: 1 }] : server.endpoints;
  const entry = { revision: server.revision, sites: replicas.map(({ url, weight }) => newSite(url, weight)), turn: 0 };
  entries.set(key, entry);
  return entry;
}

/** @throws TOOL_SERVER_UNAVAILABLE when all replicas are left alone */
function siteFor(entry: Entry, { id, balancing }: OpenServer, { now, random }: { now: number; random: number }): Site {
  for (const site of entry.sites) {
    evictIdle(site, now);
    site.open = site.openUntil > now;
  }
  const site = entry.sites[chooseReplica(balancing, entry.sites, { turn: entry.turn, random })] as Site;
  entry.turn += 1;
  if (!site.open) return site;
  const detail = 'it failed several times in a row and is left alone for a while';
  const retryAfterMs = Math.max(1, Math.round(site.openUntil - now));
  throw new AppError('TOOL_SERVER_UNAVAILABLE', { server: id, detail, retryAfterMs, sent: false });
}

/** A tool that fails, or a call that is refused, says that the server is there. */
const isOutage = (error: unknown): boolean => !(error instanceof AppError) || error.code === 'TOOL_SERVER_UNAVAILABLE';
