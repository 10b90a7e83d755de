import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createShop } from '../../samples/shop/create-shop.ts';

/** The shop of the samples behind a gate that can keep calls waiting. */
export type GatedShop = {
  readonly url: string;
  /** `POST /charges` and the like, one for each idempotency key, in the order in which they first came. */
  calls(): string[];
  /** Resolves when a call is kept waiting. */
  readonly reached: Promise<void>;
  /** Lets every call through, those that wait too. */
  open(): void;
  close(): Promise<void>;
};

/** `hold` is the start of the calls that wait at the gate, such as `POST /charges`. */
export async function startGatedShop(hold: string | null = null): Promise<GatedShop> {
  const { app } = createShop();
  const calls = new Map<string, string>();
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const call = callOf(request);
    if (!calls.has(keyOf(request))) calls.set(keyOf(request), call);
    if (hold === null || !call.startsWith(hold)) return void app(request, response);
    reached.resolve();
    void gate.promise.then(() => app(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => [...calls.values()],
    reached: reached.promise,
    open: gate.resolve,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const callOf = ({ method, url }: IncomingMessage): string => `${method} ${url}`;
const keyOf = (request: IncomingMessage): string => String(request.headers['idempotency-key'] ?? callOf(request));
