import { createServer, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';

export type ServerBounds = {
  /** From the first byte of a request to the end of its headers. */
  headersMs: number;
  /** To the end of its body. */
  requestMs: number;
  /** How long an idle connection is kept. */
  keepAliveMs: number;
};

const MOST_HEADER_BYTES = 16 * 1024;
const CHECK_MS = 1_000;

const REFUSALS: Readonly<Record<string, readonly [status: string, code: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'REQUEST_TIMEOUT', 'The request did not arrive in time'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'HEADERS_TOO_LARGE', 'The headers are too large'],
};
const MALFORMED = ['400 Bad Request', 'BAD_REQUEST', 'The request is no HTTP'] as const;

/** A server that waits for nobody who sends too slowly, and says in JSON what it did not take. */
export function createBoundedServer(
  { headersMs, requestMs, keepAliveMs }: ServerBounds,
  answer?: RequestListener,
): Server {
  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, Math.ceil(headersMs / 2)),
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: MOST_HEADER_BYTES,
    },
    answer,
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const [status, code, message] = REFUSALS[error.code ?? ''] ?? MALFORMED;
    const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
    socket.end(
      `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  });
  return server;
}
