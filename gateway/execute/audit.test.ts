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
import { createFederation } from './federation.ts';
import { createPlanGateway } from './plan-gateway.ts';
import type { SubgraphFetch } from './subgraph-answer.ts';

type Answer = { data?: unknown; errors?: { message: string; path?: unknown; extensions?: Record<string, unknown> }[] };

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };
const stock = new Map<string, Answer>();
const own = new Map<string, Answer>();
const suites = auditSuites();
const cases = suites.flatMap((suite) => suite.tests.map((test, index) => ({ id: `${suite.id}#${index}`, test })));
const failing = (answers: Map<string, Answer>) =>
  cases.filter(({ id, test }) => !meets(test, answers.get(id) as never)).map(({ id }) => id);

beforeAll(async () => {
  process.env['APOLLO_TELEMETRY_DISABLED'] = '1';
  for (const suite of suites) {
    await askStock(suite);
    await askOwn(suite);
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
});

async function askStock(suite: AuditSuite): Promise<void> {
  const buildService = ({ name }: { name: string }) => recordedDataSource(suite, name);
  await ask(suite, new ApolloGateway({ supergraphSdl: suite.supergraph, logger: QUIET, buildService }), stock);
}

async function askOwn(suite: AuditSuite): Promise<void> {
  const federation = createFederation({ sdl: suite.supergraph, rules: new Map() });
  const recorded =
    (name: string) =>
    async ({ body }: SubgraphFetch) =>
      recordedAnswer(suite, name, JSON.parse(body));
  const sources = new Map(federation.subgraphs.map((name) => [name, recorded(name)]));
  await ask(suite, createPlanGateway(federation, sources, { normalises: false }), own);
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
