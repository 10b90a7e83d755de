import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';

const TOKEN_PROTOCOL = /(?:^|,)\s*bearer\.([^\s,]+)/;

/** What an access check reads of a request, of one that express has not seen; browsers name their token as a subprotocol. */
export function asRequest({ headers, socket }: IncomingMessage): Request {
  const [, token] = TOKEN_PROTOCOL.exec(headers['sec-websocket-protocol'] ?? '') ?? [];
  const known: NodeJS.Dict<string | string[]> = { ...headers };
  if (token !== undefined) known['authorization'] = `Bearer ${token}`;
  const get = (name: string) => known[name.toLowerCase()];
  return { headers: known, get, ip: socket.remoteAddress } as unknown as Request;
}
