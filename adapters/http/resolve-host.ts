import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { AppError } from '../../domain/errors.ts';
import { isAllowedHost, isPublicAddress } from './address-policy.ts';

export type Address = { address: string; family: number };
export type Resolve = (hostname: string) => Promise<Address[]>;

/** By the system's resolver, every address of the host. */
export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true });

/** The addresses a request may connect to. One private address among them refuses the host: a caller must not pick by luck. */
export async function resolveHost(url: URL, allowedHosts: readonly string[], resolve: Resolve): Promise<Address[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  const addresses = family === 0 ? await resolve(host) : [{ address: host, family }];
  if (addresses.length === 0) throw Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' });
  if (isAllowedHost(url, allowedHosts)) return addresses;
  const denied = addresses.find(({ address }) => !isPublicAddress(address));
  if (denied) throw new AppError('HTTP_ADDRESS_DENIED', { host: url.host, address: denied.address });
  return addresses;
}
