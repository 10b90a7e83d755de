import type { HttpMethod } from '../../domain/tools/activities.ts';
import { parseUrl } from './parse-url.ts';

export type Hop = {
  url: URL;
  method: HttpMethod;
  /** Lower-case names. */
  headers: { [name: string]: string };
  body: string | undefined;
};

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const SECRETS = ['authorization', 'cookie'];
const ABOUT_THE_BODY = ['content-type', 'content-encoding', 'content-language', 'content-location'];

/** Where a redirect leads by the rules of fetch; null where the response is final. Secrets stay with the origin they were meant for. */
export function nextHop(hop: Hop, status: number, location: string | undefined): Hop | null {
  if (!REDIRECTS.has(status) || location === undefined) return null;
  const url = parseUrl(location, hop.url);
  const dropsBody =
    (status === 303 && hop.method !== 'HEAD' && hop.method !== 'GET') || (status < 303 && hop.method === 'POST');
  const crossesOrigin = url.origin !== hop.url.origin;
  const dropped = [...(crossesOrigin ? SECRETS : []), ...(dropsBody ? ABOUT_THE_BODY : [])];
  return {
    url,
    method: dropsBody ? 'GET' : hop.method,
    headers: Object.fromEntries(Object.entries(hop.headers).filter(([name]) => !dropped.includes(name))),
    body: dropsBody ? undefined : hop.body,
  };
}
