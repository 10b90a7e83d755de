import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer, type ApolloServerOptions, type BaseContext } from '@apollo/server';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  type AuditSuite,
  auditSuites,
  meets,
  PLANNED_WRONG,
  recordedAnswer,
  recordedDataSource,
} from '../../tests/federation-audit/audit.ts';
import { createEntityCache } from '../cache/entity-cache.ts';
import { createFederation } from './federation.ts';
import { createPlanGateway, type PlanGatewayOptions } from './plan-gateway.ts';
import type { SubgraphFetch } from './subgraph-answer.ts';

type Answer = { data?: unknown; errors?: { message: string; path?: unknown; extensions?: Record<string, unknown> }[] };

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const stock = new Map<string, Answer>();
const own = new Map<string, Answer>();
const kept = new Map<string, Answer>();
const found = { entities: 0 };
const suites = auditSuites();
const cases = suites.flatMap((suite) => suite.tests.map((test, index) => ({ id: `${suite.id}#${index}`, test })));
const failing = (answers: Map<string, Answer>) =>
  cases.filter(({ id, test }) => !meets(test, answers.get(id) as never)).map(({ id }) => id);

beforeAll(async () => {
  process.env['APOLLO_TELEMETRY_DISABLED'] = '1';
  for (const suite of suites) {
    await askStock(suite);
    await askOwn(suite, own);
    await askKeeping(suite);
  }
});

describe('the federation audit', () => {
  it('has 199 cases', () => expect(cases).toHaveLength(199));

  it('is passed by the stock executor but for the cases that are planned wrong', () =>
    expect(failing(stock)).toEqual(PLANNED_WRONG));

  it('is passed by the own executor but for the same cases', () => expect(failing(own)).toEqual(PLANNED_WRONG));

  it.each(cases)('$id has the same data and errors from both executors', ({ id }) => {
    expect(own.get(id)).toEqual(stock.get(id));
  });

  it.each(cases)('$id has the same data and errors when its entities are kept', ({ id }) => {
    expect(kept.get(id)).toEqual(stock.get(id));
  });

  it('has entities to keep', () => expect(found.entities).toBeGreaterThan(100));
});

async function askStock(suite: AuditSuite): Promise<void> {
  const buildService = ({ name }: { name: string }) => recordedDataSource(suite, name);
  await ask(suite, new ApolloGateway({ supergraphSdl: suite.supergraph, logger: QUIET, buildService }), stock);
}

async function askOwn(
  suite: AuditSuite,
  answers: Map<string, Answer>,
  options: PlanGatewayOptions = {},
): Promise<void> {
  const federation = createFederation({ sdl: suite.supergraph, rules: new Map() });
  const recorded =
    (name: string) =>
    async ({ body }: SubgraphFetch) => ({
      ...recordedAnswer(suite, name, JSON.parse(body)),
      policy: { maxAge: 60, private: false },
    });
  const sources = new Map(federation.subgraphs.map((name) => [name, recorded(name)]));
  await ask(suite, createPlanGateway(federation, sources, { normalises: false, ...options }), answers);
}

/** Asks everything twice, the second time with what is kept of the first. */
async function askKeeping(suite: AuditSuite): Promise<void> {
  const entities = createEntityCache(10_000_000);
  const keepingFor = () => ({ entities, scopes: { tenantId: 'default', shared: '', own: '' } });
  for (let times = 0; times < 2; times += 1) await askOwn(suite, kept, { keepingFor });
  found.entities += entities.figures().found;
}

async function ask(
  { id, tests }: AuditSuite,
  gateway: NonNullable<ApolloServerOptions<BaseContext>['gateway']>,
  answers: Map<string, Answer>,
): Promise<void> {
  const server = new ApolloServer({ gateway, includeStacktraceInErrorResponses: false, logger: QUIET });
  await server.start();
  for (const [index, { query }] of tests.entries()) {
    const { body } = await server.executeOperation({ query });
    answers.set(`${id}#${index}`, plain(body.kind === 'single' ? body.singleResult : body));
  }
  await server.stop();
}

const plain = (answer: unknown): Answer => JSON.parse(JSON.stringify(answer)) as Answer;
