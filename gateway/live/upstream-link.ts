import { type Client, createClient, type SubscribePayload } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { SubgraphAnswer } from '../execute/subgraph-answer.ts';
import { createEventQueue } from './event-queue.ts';

/** One WebSocket to a subgraph, for all subscriptions of all callers; each names its caller itself. */
export type UpstreamLink = {
  /** Ends when the subgraph ends it; throws Refused when it refuses, and anything else when the link is lost. */
  subscribe: (payload: SubscribePayload) => AsyncGenerator<SubgraphAnswer>;
  close: () => Promise<void>;
};

export class Refused extends Error {
  readonly errors: SubgraphAnswer['errors'];

  constructor(errors: NonNullable<SubgraphAnswer['errors']>) {
    super(errors[0]?.message ?? 'refused');
    this.name = 'Refused';
    this.errors = errors;
  }
}

const KEEP_ALIVE_MS = 10_000;
const CONNECT_MS = 5_000;
const IDLE_MS = 5_000;
/** Events that wait to be read; then the subgraph is left, and asked again for the rest when these are read. */
const MOST_HELD = 1_000;

export function createUpstreamLink(address: URL): UpstreamLink {
  const url = new URL(address);
  url.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  const client: Client = createClient({
    url: url.href,
    webSocketImpl: WebSocket,
    // What was told before a link was lost is known here alone, so it is not the client that asks again.
    retryAttempts: 0,
    keepAlive: KEEP_ALIVE_MS,
    connectionAckWaitTimeout: CONNECT_MS,
    lazyCloseTimeout: IDLE_MS,
  });
  return {
    subscribe(payload) {
      let leave = () => {};
      const queue = createEventQueue<SubgraphAnswer>(MOST_HELD, () => leave(), null);
      leave = client.subscribe(payload, {
        next: (answer) => {
          if (!queue.push(answer)) leave();
        },
        complete: () => queue.end(),
        error: (error) => queue.end(Array.isArray(error) ? new Refused(error) : new Error('the link was lost')),
      });
      return queue.events;
    },
    close: async () => client.dispose(),
  };
}
