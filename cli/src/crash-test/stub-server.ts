import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '../../../sdk/src/index.ts';

export type StubAnswer = { status?: number; body?: Json };
export type StubCall = {
  method: string;
  path: string;
  key: string;
  /** SHA-256. */
  body: string;
};

export type StubServer = {
  host: string;
  /** Since the last `forget`. */
  calls: readonly StubCall[];
  forget: () => void;
  /** Told of each call when it has come and nothing is answered yet; false leaves it without an answer. */
  onCall: (call: StubCall) => Promise<boolean>;
  close: () => Promise<void>;
};

/**
 * The outside world: writes down every call and gives the same answer to the same request. As a well-made service does, it takes a
 * repeated idempotency key for the same request.
 */
export async function startStubServer(answers: Readonly<Record<string, StubAnswer>>): Promise<StubServer> {
  const calls: StubCall[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const call = await callOf(request);
    calls.push(call);
    if (!(await stub.onCall(call))) return;
    const { status = 200, body } = answers[`${call.method} ${call.path.replace(/\?.*/s, '')}`] ?? {};
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body === undefined ? { ok: true, method: call.method, path: call.path } : body));
  };
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stub: StubServer = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    forget: () => calls.splice(0),
    onCall: () => Promise.resolve(true),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return stub;
}

async function callOf(request: IncomingMessage): Promise<StubCall> {
  const hash = createHash('sha256');
  for await (const chunk of request) hash.update(chunk as Buffer);
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    key: String(request.headers['idempotency-key'] ?? ''),
    body: hash.digest('hex'),
  };
}
