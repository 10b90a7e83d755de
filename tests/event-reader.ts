import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { ShownEvent } from '../domain/events/shown-event.ts';

export type Reader = { received: ShownEvent[]; position: () => string | null; stop: () => Promise<void> };
type Options = { query?: string; after?: string; onEvent?: (event: ShownEvent) => Promise<void> | void };

const AGAIN_MS = 20;

/** Reads server-sent events, and comes again with the last id when the connection ends, as browsers do. */
export function readSse(urlOf: () => string, { query = '', after, onEvent }: Options = {}): Reader {
  const stopping = new AbortController();
  const received: ShownEvent[] = [];
  let last: string | null = after ?? null;
  const take = async (block: string) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const data = field('data');
    if (data !== undefined) {
      const event = JSON.parse(data) as ShownEvent;
      received.push(event);
      await onEvent?.(event);
    }
    last = field('id') ?? last;
  };
  const connect = async () => {
    const headers: Record<string, string> = last === null ? {} : { 'last-event-id': last };
    const response = await fetch(`${urlOf()}/events${query}`, { headers, signal: stopping.signal });
    let rest = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = `${rest}${chunk}`.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) await take(block);
    }
  };
  const done = again(connect, stopping.signal);
  return {
    received,
    position: () => last,
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

/** The same by WebSocket, from the position of the last message. */
export function readSocket(
  urlOf: () => string,
  { after, filter = {} }: { after?: string; filter?: object } = {},
): Reader {
  const stopping = new AbortController();
  const received: ShownEvent[] = [];
  let last = after ?? 'head';
  const connect = () =>
    new Promise<void>((resolve) => {
      const socket = new WebSocket(`${urlOf().replace('http', 'ws')}/events/socket`);
      const leave = () => socket.terminate();
      stopping.signal.addEventListener('abort', leave);
      socket.on('open', () => socket.send(JSON.stringify({ type: 'subscribe', id: 'all', filter, after: last })));
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as { position?: string; events?: ShownEvent[] };
        received.push(...(message.events ?? []));
        last = message.position ?? last;
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        stopping.signal.removeEventListener('abort', leave);
        resolve();
      });
    });
  const done = again(connect, stopping.signal);
  return {
    received,
    position: () => last,
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

async function again(connect: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await connect().catch(() => undefined);
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}
