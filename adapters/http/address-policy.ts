import ipaddr from 'ipaddr.js';

/** The one IPv6 block that is routed on the internet; what looks like unicast outside it (such as ::a.b.c.d) is not. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** True for addresses of the public internet; false for anything else, names included. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed.kind() === 'ipv4' || parsed.match(GLOBAL_IPV6);
}

/** Whether the settings allow this host, whatever it resolves to. Entries are `host` or `host:port`; IPv6 goes in brackets. */
export function isAllowedHost(url: URL, allowed: readonly string[]): boolean {
  const host = url.hostname.replace(/\.$/, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return allowed.some((entry) => entry.toLowerCase() === host || entry.toLowerCase() === `${host}:${port}`);
}
