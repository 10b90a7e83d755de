import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Request } from 'express';
import { type WebSocket, WebSocketServer } from 'ws';
import { demand } from '../../domain/access/allow.ts';
import { toAppError } from '../graphql/to-app-error.ts';
import type { Principal } from '../access/principal.ts';
import { cursorText, parseCursor } from './stream-routes.ts';
import { watchTokens, type WatchDeps } from './watch-tokens.ts';

const PATH = /^\/runs\/([^/]+)\/nodes\/([^/]+)\/socket$/;
const PING_MS = 25_000;
/** What a slow reader may leave unsent before it is put off. */
const MOST_UNSENT_BYTES = 1_048_576;
const SLOW = 3008;
const REFUSED = 4400;
const NORMAL = 1000;

export type SocketDoor = {
  principalFrom: (request: IncomingMessage) => Promise<Principal>;
  depsOf: (principal: Principal) => WatchDeps;
  logInternal: (error: unknown) => void;
};

/** What the access check reads of a request, for one that express has not seen; browsers name their token as a subprotocol. */
export function asRequest(message: IncomingMessage): Request {
  const { headers, socket } = message;
  const [, token] = /(?:^|,)\s*bearer\.([^\s,]+)/.exec(headers['sec-websocket-protocol'] ?? '') ?? [];
  const known: NodeJS.Dict<string | string[]> = {
    ...headers,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const get = (name: string) => known[name.toLowerCase()];
  return { ...{ headers: known, get }, ip: socket.remoteAddress } as unknown as Request;
}

/** WebSocket at /runs/:id/nodes/:nodeId/socket?after=&iteration=: every event as one JSON text, then the door closes. */
export function openStreamSockets({ principalFrom, depsOf, logInternal }: SocketDoor) {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 65_536, perMessageDeflate: false });
  const serve = async (socket: WebSocket, request: IncomingMessage) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const [, runId = '', nodeId = ''] = PATH.exec(url.pathname) ?? [];
    const leaving = new AbortController();
    const ping = setInterval(() => socket.ping(), PING_MS);
    socket.on('close', () => {
      clearInterval(ping);
      leaving.abort();
    });
    try {
      const principal = await principalFrom(request);
      demand(principal, 'runs:read', 'nodeTokens');
      const place = {
        runId: decodeURIComponent(runId),
        nodeId: decodeURIComponent(nodeId),
        iteration: url.searchParams.get('iteration') ?? undefined,
        after: parseCursor(url.searchParams.get('after'), 'after'),
      };
      for await (const record of watchTokens(depsOf(principal), principal, place, leaving.signal)) {
        const { event, attempt, seq, at } = record;
        if (socket.bufferedAmount > MOST_UNSENT_BYTES) return socket.close(SLOW, 'slow');
        socket.send(JSON.stringify({ ...event, attempt, seq, at, id: cursorText(record) }));
      }
      socket.close(NORMAL);
    } catch (error) {
      if (leaving.signal.aborted) return;
      const known = toAppError(error);
      if (!known) logInternal(error);
      socket.send(
        JSON.stringify({
          type: 'refused',
          code: known?.code ?? 'INTERNAL',
          message: known?.message ?? 'Internal error',
        }),
      );
      socket.close(REFUSED, known?.code ?? 'INTERNAL');
    }
  };
  return {
    /** Takes upgrades of its path alone. */
    attach(server: Server): void {
      server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        if (!PATH.test((request.url ?? '').split('?', 1)[0] ?? '')) {
          if (server.listenerCount('upgrade') === 1) socket.destroy();
          return;
        }
        sockets.handleUpgrade(request, socket, head, (opened) => void serve(opened, request));
      });
    },
    close(): void {
      for (const socket of sockets.clients) socket.close(1001, 'the server stops');
      sockets.close();
    },
  };
}
