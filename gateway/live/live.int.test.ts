import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type FormattedExecutionResult, graphql, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { untilLeft } from '../../adapters/graphql/until-left.ts';
import { LOCAL_PRINCIPAL } from '../../api/access/principal.ts';
import { openSubscriptionSockets } from '../../api/graphql/subscription-sockets.ts';
import { loadSettings } from '../../config/load.ts';
import { startGateway } from '../start-gateway.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
const TICKS = `${LINK}
  type Query { item(id: ID!): Item }
  type Subscription { ticked(after: Int = 0): Tick! latest(of: ID!): Tick! }
  type Tick { id: Int! item: Item! }
  type Item @key(fields: "id") { id: ID! }`;
const NAMES = `${LINK} type Item @key(fields: "id") { id: ID! name: String }`;
const TICKED = 'subscription ($after: Int) { ticked(after: $after) { number: id item { name } } }';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

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
});

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

async function serve() {
  const ticks = await ticksSubgraph();
  const names = await namesSubgraph();
  const composed = composeServices([
    { name: 'ticks', url: ticks.url, typeDefs: parse(TICKS) },
    { name: 'names', url: names.url, typeDefs: parse(NAMES) },
  ]);
  const sdl = composed.supergraphSdl ?? '';
  const gateway = await startGateway(loadSettings({ GATEWAY_PORT: '0', WEFT_AUTH: 'off' }), pino({ level: 'silent' }), {
    supergraphSdl: sdl,
    plannedSdl: sdl,
    rules: new Map(),
    addressOf: (name) => new URL(name === 'ticks' ? ticks.url : names.url),
  });
  opened.push(gateway.stop);
  const url = `http://127.0.0.1:${gateway.port}/graphql`;
  const secondClient = () => {
    const client = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 });
    opened.push(() => client.dispose());
    return client;
  };
  return { url, client: secondClient(), secondClient, ticks };
}

/** Has an event every few milliseconds, 1, 2, 3 ..., and remembers them all. */
async function ticksSubgraph() {
  const subscribed: number[] = [];
  let live = 0;
  const from = (after: number) =>
    untilLeft(async function* (signal) {
      subscribed.push(after);
      live += 1;
      try {
        for (let id = after + 1; !signal.aborted; id += 1) {
          yield { id, item: { id: `i${id}` } };
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      } finally {
        live -= 1;
      }
    });
  const resolve = (event: unknown) => event;
  const schema = buildSubgraphSchema([
    {
      typeDefs: parse(TICKS),
      resolvers: {
        Query: { item: (_: unknown, { id }: { id: string }) => ({ id }) },
        Subscription: {
          ticked: { resolve, subscribe: (_: unknown, { after }: { after: number }) => from(after) },
          latest: { resolve, subscribe: () => from(100) },
        },
      },
    },
  ]);
  let running = await listening(0);
  const { port } = running;
  opened.push(() => running.stop());

  async function listening(wanted: number) {
    const door = openSubscriptionSockets({
      ...{ path: '/graphql', schema, contextOf: () => ({}), formatError: (error: FormattedError) => error },
      principalFrom: () => Promise.resolve(LOCAL_PRINCIPAL),
    });
    const server = await httpServer(wanted, async (body) =>
      graphql({ schema, source: body.query, variableValues: body.variables }),
    );
    const sockets = new Set<Duplex>();
    server.on('upgrade', (_request, socket) => sockets.add(socket));
    door.attach(server);
    const stop = async () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    };
    return { port: (server.address() as AddressInfo).port, stop };
  }
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    subscribed,
    live: () => live,
    async dieAndComeBack() {
      await running.stop();
      running = await listening(port);
    },
  };
}

type FormattedError = NonNullable<FormattedExecutionResult['errors']>[number];
type Body = { query: string; variables: { representations?: { id: string }[] } };

async function namesSubgraph() {
  const server = await httpServer(0, async ({ variables }) => ({
    data: { _entities: variables.representations?.map(({ id }) => ({ name: `name of ${id}` })) },
  }));
  opened.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql` };
}

async function httpServer(port: number, answer: (body: Body) => Promise<unknown>): Promise<Server> {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => {
      void answer(JSON.parse(text) as Body).then((body) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

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

async function readUntil(response: Response, enough: (all: string) => boolean): Promise<string> {
  let all = '';
  for await (const chunk of response.body ?? []) {
    all += Buffer.from(chunk as Uint8Array).toString();
    if (enough(all)) break;
  }
  return all;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}
