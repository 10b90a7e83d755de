import { Supergraph } from '@apollo/federation-internals';
import { ApolloGateway, type GraphQLDataSource } from '@apollo/gateway';
import { ApolloServer, type ApolloServerOptions, type BaseContext } from '@apollo/server';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { auditSuites } from '../../tests/federation-audit/audit.ts';
import { madeUpSubgraph, type MadeUpRequest } from '../../tests/federation-audit/made-up-subgraph.ts';
import { randomQuery } from '../../tests/federation-audit/random-query.ts';
import { createEntityCache } from '../cache/entity-cache.ts';
import { createFederation, type Federation } from './federation.ts';
import { createPlanGateway } from './plan-gateway.ts';
import type { SubgraphFetch } from './subgraph-answer.ts';

type Context = { world: string };
type Both = {
  federation: Federation;
  stock: ApolloServer<Context>;
  own: ApolloServer<Context>;
  keeping: ApolloServer<Context>;
  forget: () => void;
};
type Answered = Awaited<ReturnType<GraphQLDataSource['process']>>;
type Reported = { message: string; path?: (string | number)[] };
type Gateway = NonNullable<ApolloServerOptions<BaseContext>['gateway']>;

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const NAMES = ['abstract-types', 'simple-interface-object', 'requires-with-fragments', 'union-interface-distributed'];
const servers = new Map<string, Both>();
const seen = { errors: 0, nulls: 0, data: 0 };

beforeAll(async () => {
  process.env['APOLLO_TELEMETRY_DISABLED'] = '1';
  for (const { id, supergraph } of auditSuites()) if (NAMES.includes(id)) servers.set(id, await serve(supergraph));
});
afterAll(async () => {
  for (const { stock, own, keeping } of servers.values()) await Promise.all([stock.stop(), own.stop(), keeping.stop()]);
});

describe('any query', () => {
  it.each(NAMES)('has the same data and the same errors from both executors, over %s', async (name) => {
    const both = servers.get(name) as Both;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), async (seed) => {
        const request = randomQuery(both.federation.schema, String(seed));
        const contextValue = { world: `${seed}/` };
        const stock = await answerOf(both.stock, request, contextValue);
        const own = await answerOf(both.own, request, contextValue);
        expect({ request, ...own }).toEqual({ request, ...stock });
        both.forget();
        await answerOf(both.keeping, request, contextValue);
        const kept = await answerOf(both.keeping, request, contextValue);
        expect({ request, ...kept }).toEqual({ request, ...stock });
        if (stock.errors.length > 0) seen.errors += 1;
        if (stock.valueCompletion.length > 0) seen.nulls += 1;
        if (stock.data !== null) seen.data += 1;
      }),
      { numRuns: Number(process.env['WEFT_RANDOM_QUERIES'] ?? 30), endOnFailure: true },
    );
  });

  it('was among them with data and without', () => {
    expect(seen.errors).toBeGreaterThan(0);
    expect(seen.data).toBeGreaterThan(0);
  });
});

async function serve(supergraphSdl: string): Promise<Both> {
  const federation = createFederation({ sdl: supergraphSdl, rules: new Map() });
  const subgraphs = new Map([...Supergraph.build(supergraphSdl).subgraphs()].map((one) => [one.name, one] as const));
  const answer = (name: string, request: MadeUpRequest, { world }: Context) => {
    const subgraph = subgraphs.get(name);
    if (subgraph === undefined) throw new Error(`No subgraph ${name}`);
    return madeUpSubgraph(subgraph, world)(request);
  };
  const sources = new Map(
    federation.subgraphs.map((name) => [
      name,
      async ({ body }: SubgraphFetch, context: Context) => ({
        ...(await answer(name, JSON.parse(body) as MadeUpRequest, context)),
        policy: { maxAge: 60, private: false },
      }),
    ]),
  );
  const stock = new ApolloGateway({
    supergraphSdl,
    logger: QUIET,
    buildService: ({ name }) => ({
      process: async ({ request, context }) => {
        const asked = JSON.parse(JSON.stringify(request)) as MadeUpRequest;
        return (await answer(name, asked, context as Context)) as Answered;
      },
    }),
  });
  let entities = createEntityCache(1_000_000);
  const scopes = { tenantId: 'default', shared: '', own: '' };
  const keepingFor = () => ({ entities, scopes });
  return {
    federation,
    stock: await start(stock),
    own: await start(createPlanGateway(federation, sources)),
    keeping: await start(createPlanGateway(federation, sources, { keepingFor })),
    forget: () => void (entities = createEntityCache(1_000_000)),
  };
}

async function start(gateway: Gateway): Promise<ApolloServer<Context>> {
  const server = new ApolloServer<Context>({ gateway, includeStacktraceInErrorResponses: false, logger: QUIET });
  await server.start();
  return server;
}

async function answerOf(
  server: ApolloServer<Context>,
  request: { query: string; variables: Record<string, unknown> },
  contextValue: Context,
) {
  const { body } = await server.executeOperation(request, { contextValue });
  const single: unknown = body.kind === 'single' ? JSON.parse(JSON.stringify(body.singleResult)) : {};
  const {
    data = null,
    errors = [],
    extensions,
  } = single as { data?: unknown; errors?: Reported[]; extensions?: { valueCompletion?: Reported[] } };
  return { data, errors: ordered(errors), valueCompletion: ordered(extensions?.valueCompletion ?? []) };
}

/**
 * Parallel fetches may fail in any order. The stock executor counts only the objects that it sent for, so that the indices of
 * its paths are wrong where it skipped some.
 */
const ordered = (errors: Reported[]): string[] =>
  errors
    .map(({ path, ...error }) => ({ ...error, path: path?.map((part) => (typeof part === 'number' ? '#' : part)) }))
    .map((error) => JSON.stringify(error))
    .sort();
