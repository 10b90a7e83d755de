import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import { buildOperationContext, executeQueryPlan, RemoteGraphQLDataSource } from '@apollo/gateway';
import type { QueryPlan } from '@apollo/query-planner';
import { parse } from 'graphql';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Pool } from 'undici';
import { loadSettings } from '../config/load.ts';
import { createFederation } from '../gateway/execute/federation.ts';
import type { JsonObject } from '../gateway/execute/json-value.ts';
import { prepareOperation } from '../gateway/execute/prepare-operation.ts';
import { subscribeOperation } from '../gateway/live/subscribe-operation.ts';
import type { UpstreamLink } from '../gateway/live/upstream-link.ts';
import { createSubgraphGuards } from '../gateway/resilience/subgraph-guards.ts';
import { createSubgraphMetrics } from '../gateway/subgraph-metrics.ts';
import { createSubgraphSource } from '../gateway/subgraph-source.ts';
import { SUBGRAPHS } from './gateway/subgraphs.ts';
import { type BenchResult, compared } from './report.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 10);
const STREAMS = Number(process.env['BENCH_CLIENTS'] ?? 20);
const SEATS = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
  type Query { seats: Int }
  type Subscription { taken: Seat }
  type Seat { id: ID! user: User }
  type User @key(fields: "id") { id: ID! }`;
const DOCUMENT = parse('subscription { taken { id user { id name username } } }');

type Joined = unknown;
type Measured = { perSecond: number; cpuMs: number; first: Joined };
/** Joins its share of events until told to stop. */
type Stream = (onEvent: (joined: Joined) => boolean) => Promise<void>;

/** Events of a subscription joined with another subgraph over HTTP: as our gateway does, and with the stock executor, which has no subscriptions of its own. */
export async function gatewayLive(): Promise<BenchResult[]> {
  const child = fork(join(import.meta.dirname, 'gateway/subgraphs-process.ts'), { execArgv: [] });
  try {
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const url = new URL(`http://127.0.0.1:${port}/accounts`);
    const { supergraphSdl = '' } = composeServices([
      { name: 'seats', url: 'http://127.0.0.1:9/', typeDefs: parse(SEATS) },
      { name: 'accounts', url: url.href, typeDefs: parse(SUBGRAPHS['accounts']?.sdl ?? '') },
    ]);
    const own = await measured(ownStreams(supergraphSdl, url));
    const stock = await measured(stockStreams(supergraphSdl, url));
    if (!isDeepStrictEqual(own.first, stock.first)) throw new Error('The joined events differ');
    return [
      compared({
        ...{ name: 'events joined with another subgraph', unit: '/s', goal: { atLeast: 2 } },
        ...{ value: own.perSecond, baseline: stock.perSecond },
      }),
      compared({
        ...{ name: 'CPU of an event', unit: 'ms', goal: { atMost: 0.5 } },
        ...{ value: own.cpuMs, baseline: stock.cpuMs },
      }),
    ];
  } finally {
    child.disconnect();
  }
}

async function measured(stream: Stream): Promise<Measured> {
  let first: Joined;
  const during = async (seconds: number): Promise<number> => {
    let count = 0;
    const until = performance.now() + seconds * 1000;
    const onEvent = (event: Joined) => {
      first ??= JSON.parse(JSON.stringify(event)) as Joined;
      count += 1;
      return performance.now() < until;
    };
    await Promise.all(Array.from({ length: STREAMS }, () => stream(onEvent)));
    return count;
  };
  await during(SECONDS / 4);
  const [before, begun] = [process.cpuUsage(), performance.now()];
  const count = await during(SECONDS);
  const { user, system } = process.cpuUsage(before);
  return { perSecond: (count / (performance.now() - begun)) * 1000, cpuMs: (user + system) / 1000 / count, first };
}

const eventOf = (number: number): JsonObject => ({
  taken: { id: String(number), user: { __typename: 'User', id: String(1 + (number % 6)) } },
});

function ownStreams(sdl: string, url: URL): Stream {
  const prepared = prepareOperation(createFederation({ sdl, rules: new Map() }), DOCUMENT);
  const pool = new Pool(url.origin, { connections: 64 });
  const silent = pino({ level: 'silent' });
  const source = createSubgraphSource({
    ...{ name: 'accounts', target: () => ({ url, pool }), shares: false },
    guards: createSubgraphGuards('accounts', loadSettings({}), createSubgraphMetrics(new Registry()), silent),
    observe: () => undefined,
  });
  const sources = new Map([['accounts', source]]);
  const link: UpstreamLink = {
    async *subscribe() {
      for (let number = 0; ; number += 1) yield { data: eventOf(number) };
    },
    close: () => Promise.resolve(),
  };
  const parts = {
    ...{ sources: () => sources, links: () => link, onSwap: () => () => undefined, onLost: () => undefined },
    keepingFor: () => undefined,
  };
  const planned = { prepared, variables: {} };
  return async (onEvent) => {
    const events = subscribeOperation({ planned, plan: () => planned, context: { forward: {} }, after: null }, parts);
    for await (const { result } of events) if (!onEvent(result.data)) return;
  };
}

function stockStreams(sdl: string, url: URL): Stream {
  const supergraph = Supergraph.build(sdl);
  const { node } = createFederation({ sdl, rules: new Map() }).plan(DOCUMENT, {});
  if (node?.kind !== 'Subscription') throw new Error('The plan of a subscription is one');
  const rest = node.rest === undefined ? [] : [node.rest];
  const plan: QueryPlan = { kind: 'QueryPlan', node: { kind: 'Sequence', nodes: [node.primary, ...rest] } };
  const apiSchema = supergraph.apiSchema();
  const schema = apiSchema.toGraphQLJSSchema();
  const operation = buildOperationContext({ schema, operationDocument: DOCUMENT });
  const supergraphSchema = supergraph.schema.toGraphQLJSSchema();
  const accounts = new RemoteGraphQLDataSource({ url: url.href });
  return async (onEvent) => {
    for (let number = 0; ; number += 1) {
      const seats = { process: () => Promise.resolve({ data: eventOf(number) }) };
      const request = { request: { variables: {} }, context: {}, cache: undefined } as never;
      const services = { seats, accounts } as never;
      const answer = await executeQueryPlan(plan, services, request, operation, supergraphSchema, apiSchema);
      if (!onEvent(answer.data)) return;
    }
  };
}
