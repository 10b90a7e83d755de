import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type FormattedExecutionResult, graphql, type GraphQLError, parse } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Pool } from 'undici';
import { WebSocket } from 'ws';
import { untilLeft } from '../adapters/graphql/until-left.ts';
import { LOCAL_PRINCIPAL } from '../api/access/principal.ts';
import { openSubscriptionSockets } from '../api/graphql/subscription-sockets.ts';
import { loadSettings } from '../config/load.ts';
import { createFederation } from '../gateway/execute/federation.ts';
import { createPlanGateway } from '../gateway/execute/plan-gateway.ts';
import { openLiveDoors } from '../gateway/live/open-live-doors.ts';
import { createSubgraphGuards } from '../gateway/resilience/subgraph-guards.ts';
import { startGateway } from '../gateway/start-gateway.ts';
import { createSubgraphMetrics } from '../gateway/subgraph-metrics.ts';
import { createSubgraphSource } from '../gateway/subgraph-source.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';
/** Events with places, and what is the case now without. */
export const TICKS = `${LINK}
  type Query { item(id: ID!): Item }
  type Subscription { ticked(after: Int = 0): Tick! latest(of: ID!): Tick! }
  type Tick { id: Int! text: String! item: Item! }
  type Item @key(fields: "id") { id: ID! }`;
export const NAMES = `${LINK} type Item @key(fields: "id") { id: ID! name: String }`;

export type LiveSubgraph = { name: string; url: string; sdl: string };
type Closing = { closes: (() => unknown)[]; close: () => Promise<void> };

export function closing(): Closing {
  const closes: (() => unknown)[] = [];
  return {
    closes,
    async close() {
      for (const one of closes.splice(0).reverse()) await one();
    },
  };
}

function composed(subgraphs: readonly LiveSubgraph[]): string {
  const { supergraphSdl, errors } = composeServices(
    subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })),
  );
  if (supergraphSdl === undefined) throw new Error(String(errors));
  return supergraphSdl;
}

/** Our gateway before these subgraphs. */
export async function openGateway(
  subgraphs: readonly LiveSubgraph[],
  { closes }: Closing,
  environment: Record<string, string> = {},
): Promise<string> {
  const sdl = composed(subgraphs);
  const settings = loadSettings({ GATEWAY_PORT: '0', WEFT_AUTH: 'off', ...environment });
  const gateway = await startGateway(settings, pino({ level: 'silent' }), {
    supergraphSdl: sdl,
    plannedSdl: sdl,
    rules: new Map(),
    addressOf: (name) => new URL(subgraphs.find((one) => one.name === name)?.url ?? ''),
  });
  closes.push(() => gateway.stop());
  return `http://127.0.0.1:${gateway.port}/graphql`;
}

/** The live doors alone, before a graph that can be swapped. */
export async function openSwappable(first: readonly LiveSubgraph[], { closes }: Closing) {
  let subgraphs = first;
  const addressOf = (name: string) => new URL(subgraphs.find((one) => one.name === name)?.url ?? '');
  const sources = () => new Map(subgraphs.map((one) => [one.name, sourceOf(one, closes)]));
  let now = sources();
  const gateway = createPlanGateway(createFederation({ sdl: composed(first), rules: new Map() }), now);
  const live = openLiveDoors({
    ...{ path: '/graphql', rules: [], maxTokens: 10_000, bodyLimit: 100_000, origins: [] },
    ...{ plans: gateway.plans, sources: () => now, addressOf, log: pino({ level: 'silent' }) },
    keepingFor: () => undefined,
    ...{ admit: () => Promise.resolve(null), figures: () => ({}), deadlineMs: 10_000 },
    onSwap: (swapped) => gateway.onSchemaLoadOrUpdate(swapped),
    whoAsks: () => Promise.resolve({ identity: undefined, caller: undefined, scope: '' }),
    formatError: (error: GraphQLError) => error.toJSON(),
  });
  const server = createServer((request, response) => void live.events(request, response));
  live.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closes.push(
    () => server.closeAllConnections(),
    () => server.close(),
    () => live.close(),
  );
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    async swap(next: readonly LiveSubgraph[]) {
      subgraphs = next;
      now = sources();
      await gateway.swap(createFederation({ sdl: composed(next), rules: new Map() }));
    },
  };
}

function sourceOf({ name, url }: LiveSubgraph, closes: Closing['closes']) {
  const pool = new Pool(new URL(url).origin);
  closes.push(() => pool.close());
  return createSubgraphSource({
    ...{ name, target: () => ({ url: new URL(url), pool }), shares: false },
    guards: createSubgraphGuards(
      name,
      loadSettings({}),
      createSubgraphMetrics(new Registry()),
      pino({ level: 'silent' }),
    ),
    observe: () => undefined,
  });
}

export function clientOf(url: string, { closes }: Closing, webSocketImpl: unknown = WebSocket): Client {
  const client = createClient({ url: url.replace('http', 'ws'), webSocketImpl, retryAttempts: 0 });
  closes.push(() => client.dispose());
  return client;
}

/** Has an event every few milliseconds, 1, 2, 3 ..., and remembers them all. */
export async function ticksSubgraph({ closes }: Closing, { everyMs = 5, text = '' } = {}) {
  const subscribed: number[] = [];
  let live = 0;
  let told = 0;
  const from = (after: number) =>
    untilLeft(async function* (signal) {
      subscribed.push(after);
      live += 1;
      try {
        for (let id = after + 1; !signal.aborted; id += 1) {
          told += 1;
          yield { id, text, item: { id: `i${id}` } };
          await (everyMs === 0 ? setImmediate() : setTimeout(everyMs));
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
  closes.push(() => running.stop());

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
    ...{ name: 'ticks', url: `http://127.0.0.1:${port}/graphql`, sdl: TICKS },
    /** Where each subscription began. */
    subscribed,
    live: () => live,
    /** How many events it has given in all. */
    told: () => told,
    async dieAndComeBack() {
      await running.stop();
      running = await listening(port);
    },
  };
}

type FormattedError = NonNullable<FormattedExecutionResult['errors']>[number];
type Body = { query: string; variables: { representations?: { id: string }[] } };

export async function namesSubgraph({ closes }: Closing, prefix = 'name of') {
  const asked: string[][] = [];
  const server = await httpServer(0, async ({ variables }) => {
    const ids = (variables.representations ?? []).map(({ id }) => id);
    asked.push(ids);
    return { data: { _entities: ids.map((id) => ({ name: `${prefix} ${id}` })) } };
  });
  closes.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const { port } = server.address() as AddressInfo;
  return { name: 'names', url: `http://127.0.0.1:${port}/graphql`, sdl: NAMES, asked };
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

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(20);
}

/** Waits until a number no longer changes. */
export async function settled(value: () => number, forMs = 400): Promise<number> {
  for (;;) {
    const before = value();
    await setTimeout(forMs);
    if (value() === before) return before;
  }
}
