import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import {
  clientOf,
  closing,
  namesSubgraph,
  NAMES,
  openGateway,
  openSwappable,
  settled,
  ticksSubgraph,
  until,
} from '../../tests/live-site.ts';

const TICKED = 'subscription ($after: Int) { ticked(after: $after) { number: id item { name } } }';
const NUMBERS = 'subscription ($after: Int) { ticked(after: $after) { id text } }';

const site = closing();
afterEach(() => site.close());

describe('a subscription through the gateway', () => {
  it('joins other subgraphs to each event', async () => {
    const { client } = await serve();
    const events = client.iterate({ query: TICKED, variables: { after: 3 } });
    expect(await take(events, 2)).toEqual([
      { data: { ticked: { number: 4, item: { name: 'name of i4' } } } },
      { data: { ticked: { number: 5, item: { name: 'name of i5' } } } },
    ]);
  });

  it('loses no event and gives none twice when its subgraph dies again and again', async () => {
    const { client, ticks } = await serve();
    const events = client.iterate({ query: 'subscription { ticked { number: id } }' });
    const numbers: unknown[] = [];
    for await (const { data } of events) {
      const { number } = (data as { ticked: { number: number } }).ticked;
      numbers.push(number);
      if ([7, 20].includes(number)) await ticks.dieAndComeBack();
      if (number === 40) break;
    }
    expect(numbers).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(ticks.subscribed.length).toBeGreaterThanOrEqual(3);
  });

  it('is one in the subgraph, whoever else follows the same, and ends there when the last has left', async () => {
    const { client, ticks, secondClient } = await serve();
    const query = 'subscription { latest(of: "x") { id item { name } } }';
    const first = client.iterate({ query });
    expect(await take(first, 1)).toHaveLength(1);
    const second = secondClient().iterate({ query });
    expect((await second.next()).value).toMatchObject({ data: { latest: { item: { name: expect.any(String) } } } });
    expect(ticks.subscribed).toHaveLength(1);
    await first.return?.();
    await second.return?.();
    await until(() => ticks.live() === 0);
  });

  it('with places is one in the subgraph too, whoever comes when, and each gets every event once', async () => {
    const { client, secondClient, ticks, names } = await serve();
    const first = take(client.iterate({ query: TICKED }), 60);
    await until(() => ticks.told() > 10);
    const later = [0, 3, 9].map((after) => take(secondClient().iterate({ query: TICKED, variables: { after } }), 40));
    const numbers = (events: readonly unknown[]) =>
      events.map((event) => (event as { data: { ticked: { number: number } } }).data.ticked.number);
    expect(numbers(await first)).toEqual(oneTo(60));
    expect(numbers((await Promise.all(later))[0] ?? [])).toEqual(oneTo(40));
    expect(numbers((await Promise.all(later))[1] ?? [])).toEqual(oneTo(43, 4));
    expect(numbers((await Promise.all(later))[2] ?? [])).toEqual(oneTo(49, 10));
    expect(ticks.subscribed).toEqual([0]);
    expect(names.asked.flat()).toHaveLength(new Set(names.asked.flat()).size);
  });

  it('begins where the default of its variable says', async () => {
    const { client } = await serve();
    const query = 'subscription ($after: Int = 5) { ticked(after: $after) { id } }';
    expect(idsOf(await take(client.iterate({ query }), 2))).toEqual([6, 7]);
    expect(idsOf(await take(client.iterate({ query: 'subscription { ticked(after: 8) { id } }' }), 2))).toEqual([
      9, 10,
    ]);
  });

  it('waits for a reader who is slow, and for nobody else', async () => {
    const { url, secondClient, ticks } = await serve({}, { everyMs: 0, text: 'x'.repeat(4_000) });
    const slow = await slowReader(url);
    await until(() => slow.ids.length > 20);
    slow.socket.pause();
    const before = await settled(ticks.told);
    const fast = idsOf(await take(secondClient().iterate({ query: NUMBERS, variables: { after: 0 } }), 3_000));
    expect(fast).toEqual(oneTo(3_000));
    expect(before).toBeLessThan(3_000);
    slow.socket.resume();
    await until(() => slow.ids.length >= 3_000);
    expect(slow.ids.slice(0, 3_000)).toEqual(fast);
  });

  it('waits for a slow reader of server-sent events too', async () => {
    const { url, ticks } = await serve({}, { everyMs: 0, text: 'x'.repeat(4_000) });
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: NUMBERS, variables: { after: 0 } }),
    });
    const before = await settled(ticks.told);
    await setTimeout(300);
    expect(ticks.told()).toBe(before);
    const text = await readUntil(response, (last) => last.includes('"id":3000,'));
    const ids = [...text.matchAll(/"id":(\d+),/g)].map(([, id]) => Number(id));
    expect(ids.slice(0, 3_000)).toEqual(oneTo(3_000));
  });

  it('is there as server-sent events', async () => {
    const { url } = await serve();
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: TICKED, variables: { after: 7 } }),
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const text = await readUntil(response, (all) => all.includes('name of i9'));
    expect(text).toContain('event: next\ndata: {"data":{"ticked":{"number":8,"item":{"name":"name of i8"}}}}');
  });

  it('says what is wrong with it', async () => {
    const { client } = await serve();
    await expect(take(client.iterate({ query: 'subscription { nothing }' }), 1)).resolves.toMatchObject([
      { errors: [{ message: expect.stringContaining('nothing'), extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] },
    ]);
  });

  it('is refused to pages of other origins', async () => {
    const { url } = await serve();
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', {
      origin: 'https://elsewhere.example',
    });
    const message = await new Promise((resolve) => socket.on('error', ({ message: said }) => resolve(said)));
    expect(message).toContain('403');
  });

  it('is there for pages of origins that are named, with the client of graphql-ws', async () => {
    const { url } = await serve({ WEFT_CORS_ORIGINS: 'https://app.example' });
    class FromElsewhere extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols, { origin: 'https://app.example' });
      }
    }
    const client = clientOf(url, site, FromElsewhere);
    expect(await take(client.iterate({ query: TICKED, variables: { after: 3 } }), 1)).toEqual([
      { data: { ticked: { number: 4, item: { name: 'name of i4' } } } },
    ]);
  });
});

describe('a subscription while another supergraph is served', () => {
  it('goes on where it is valid, every event once, and ends with an error where it is not', async () => {
    const [ticks, moved] = [await ticksSubgraph(site), await ticksSubgraph(site)];
    const [names, titles] = [await namesSubgraph(site), await namesSubgraph(site, 'title of')];
    const gateway = await openSwappable([ticks, names], site);
    const joined = collect(clientOf(gateway.url, site).iterate({ query: TICKED, variables: { after: 0 } }));
    const plain = collect(clientOf(gateway.url, site).iterate({ query: NUMBERS, variables: { after: 0 } }));
    const response = await fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: NUMBERS, variables: { after: 5 } }),
    });
    const events = readUntil(response, (all) => all.includes('"id":150,'));
    await until(() => plain.events.length > 20 && joined.events.length > 20);
    await gateway.swap([ticks, { ...titles, sdl: NAMES.replace('name: String', 'name: String rank: Int') }]);
    const atFirst = joined.events.length;
    await until(() => joined.events.length > atFirst + 20);
    expect(ticks.subscribed.toSorted((left, right) => left - right)).toEqual([0, 0, 5]);
    await gateway.swap([{ ...moved, name: 'elsewhere' }, titles]);
    await until(() => moved.live() > 1 && ticks.live() === 0);
    await until(() => plain.events.length > 100 && joined.events.length > 100);
    await gateway.swap([
      { ...moved, name: 'elsewhere' },
      { ...titles, sdl: NAMES.replace('name:', 'title:') },
    ]);
    await joined.over;
    const now = plain.events.length;
    await until(() => plain.events.length > now + 20);
    expect(idsOf(plain.events)).toEqual(oneTo(plain.events.length));
    expect([...(await events).matchAll(/"id":(\d+),/g)].map(([, id]) => Number(id)).slice(0, 145)).toEqual(
      oneTo(150, 6),
    );
    const told = joined.events.slice(0, -1) as { data: { ticked: { number: number; item: { name: string } } } }[];
    expect(told.map(({ data }) => data.ticked.number)).toEqual(oneTo(told.length));
    const kinds = told.map(({ data }) => data.ticked.item.name.split(' ')[0]);
    expect(kinds.lastIndexOf('name') + 1).toBe(kinds.indexOf('title'));
    expect(joined.events.at(-1)).toMatchObject({
      errors: [{ extensions: { code: 'SUBSCRIPTION_OUTDATED' }, message: expect.stringContaining('"name"') }],
    });
  });
});

/** Collects what comes, in the background. */
function collect(stream: AsyncIterable<unknown>) {
  const events: unknown[] = [];
  const over = (async () => {
    for await (const event of stream) events.push(event);
  })();
  over.catch(() => undefined);
  return { events, over };
}

/** Speaks graphql-transport-ws over a socket that can be paused. */
async function slowReader(url: string) {
  const ids: number[] = [];
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
  site.closes.push(() => socket.terminate());
  const send = (message: object) => socket.send(JSON.stringify(message));
  socket.on('open', () => send({ type: 'connection_init' }));
  socket.on('message', (data) => {
    const { type, payload } = JSON.parse(String(data)) as { type: string; payload: Ticked };
    if (type === 'connection_ack') {
      send({ id: '1', type: 'subscribe', payload: { query: NUMBERS, variables: { after: 0 } } });
    }
    if (type === 'next') ids.push(payload.data?.ticked.id ?? 0);
  });
  return { socket, ids };
}

describe('@defer through the gateway', () => {
  const query = '{ item(id: "a") { id ... @defer { name } } }';
  const ask = (url: string, accept: string) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query }),
    });
  const first = '{"data":{"item":{"id":"a"}},"hasNext":true}';
  const later = '{"incremental":[{"data":{"name":"name of a"},"path":["item"]}],"hasNext":false}';

  it('gives the parts as multipart/mixed', async () => {
    const { url } = await serve();
    const response = await ask(url, 'multipart/mixed; deferSpec=20220824, application/json');
    expect(response.headers.get('content-type')).toBe('multipart/mixed; boundary="-"; deferSpec=20220824');
    const head = 'content-type: application/json; charset=utf-8\r\n\r\n';
    expect(await response.text()).toBe(`\r\n---\r\n${head}${first}\r\n---\r\n${head}${later}\r\n-----\r\n`);
  });

  it('gives the parts as server-sent events', async () => {
    const { url } = await serve();
    const text = await (await ask(url, 'text/event-stream')).text();
    expect(text).toContain(`event: next\ndata: ${first}\n\nevent: next\ndata: ${later}\n\nevent: complete`);
  });

  it('gives everything at once to whoever takes no parts', async () => {
    const { url } = await serve();
    expect(await (await ask(url, 'application/json')).json()).toEqual({
      data: { item: { id: 'a', name: 'name of a' } },
    });
  });
});

async function serve(environment: Record<string, string> = {}, options: { everyMs?: number; text?: string } = {}) {
  const ticks = await ticksSubgraph(site, options);
  const names = await namesSubgraph(site);
  const url = await openGateway([ticks, names], site, environment);
  const secondClient = () => clientOf(url, site);
  return { url, client: secondClient(), secondClient, ticks, names };
}

const oneTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

async function take<Event>(events: AsyncIterable<Event>, count: number): Promise<Event[]> {
  const taken: Event[] = [];
  const iterator = events[Symbol.asyncIterator]();
  while (taken.length < count) {
    const { done, value } = await iterator.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

type Ticked = { data?: { ticked: { id: number } } | null };
const idsOf = (events: readonly unknown[]) => events.map((event) => (event as Ticked).data?.ticked.id);

/** @param enough looks at the last characters */
async function readUntil(response: Response, enough: (last: string) => boolean): Promise<string> {
  const chunks: string[] = [];
  for await (const chunk of response.body ?? []) {
    chunks.push(Buffer.from(chunk as Uint8Array).toString());
    if (enough(`${chunks.at(-2)?.slice(-10_000)}${chunks.at(-1)}`)) break;
  }
  return chunks.join('');
}
