import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Call = { path: string; idempotencyKey: string; at: number };

export type Ledger = {
  readonly host: string;
  url(path: string): string;
  readonly calls: readonly Call[];
  /** Effects that would really have happened: calls by distinct idempotency key. */
  effects(path: string): number;
  /** Resolves when the path has been called `count` times. */
  called(path: string, count: number): Promise<void>;
  /** Resolves when the caller of a held call has hung up. */
  aborted(path: string): Promise<void>;
  close(): Promise<void>;
};

/** A server of the outside world that writes down every call. `/hold/...` answers its first call never, later ones at once; `/wait/<ms>/...` after a while. */
export async function startLedger(): Promise<Ledger> {
  const calls: Call[] = [];
  const waiting: { path: string; count: number; resolve: () => void }[] = [];
  const held = new Map<string, Promise<void>>();
  const timesOf = (path: string) => calls.filter((call) => call.path === path).length;
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    calls.push({ path, idempotencyKey: String(request.headers['idempotency-key'] ?? ''), at: Date.now() });
    for (const entry of [...waiting]) {
      if (entry.path !== path || timesOf(path) < entry.count) continue;
      waiting.splice(waiting.indexOf(entry), 1);
      entry.resolve();
    }
    if (path.startsWith('/hold/') && timesOf(path) === 1) {
      held.set(path, new Promise((resolve) => response.once('close', resolve)));
      return;
    }
    const waitMs = Number(/^\/wait\/(\d+)\//.exec(path)?.[1] ?? 0);
    setTimeout(() => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ path, times: timesOf(path) }));
    }, waitMs);
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    calls,
    url: (path) => `http://${host}${path}`,
    effects: (path) => new Set(calls.filter((call) => call.path === path).map((call) => call.idempotencyKey)).size,
    called: (path, count) =>
      new Promise((resolve) => {
        if (timesOf(path) >= count) resolve();
        else waiting.push({ path, count, resolve });
      }),
    aborted: (path) => held.get(path) ?? Promise.reject(new Error(`${path} is not held`)),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
