import { readFileSync } from 'node:fs';
import type { GraphQLDataSource } from '@apollo/gateway';
import type { GraphQLFormattedError } from 'graphql';
import type { SubgraphAnswer } from '../../gateway/execute/subgraph-answer.ts';

/** graphql-hive/federation-gateway-audit (MIT): supergraphs, queries, and what its subgraphs answered to each fetch. */
const RECORDED = new URL('recorded.json', import.meta.url);

export type AuditCase = { query: string; expected: { data?: unknown; errors?: boolean } };
export type AuditSuite = { id: string; supergraph: string; tests: AuditCase[]; calls: Record<string, RecordedCall> };
type RecordedCall = SubgraphAnswer & { entities?: Record<string, unknown> };

/** Cases whose plan is wrong: no executor can pass them. */
export const PLANNED_WRONG = [
  'keys-mashup#0',
  'non-resolvable-interface-object#1',
  'requires-with-argument#2',
  'requires-with-argument#3',
  'requires-with-argument#4',
  'requires-with-argument-conflict#0',
];

export function auditSuites(): AuditSuite[] {
  return (JSON.parse(readFileSync(RECORDED, 'utf8')) as { suites: AuditSuite[] }).suites;
}

type RecordedRequest = { query?: string | undefined; variables?: Record<string, unknown> | undefined };

/** What the subgraph answered when the audit was recorded. @throws when it was not asked this */
export function recordedAnswer(suite: AuditSuite, subgraph: string, request: RecordedRequest): SubgraphAnswer {
  const { representations, ...variables } = request.variables ?? {};
  const call = suite.calls[`${subgraph}\n${request.query}\n${JSON.stringify(variables)}`];
  if (call === undefined) throw new Error(`${suite.id} has no record of ${subgraph} being asked ${request.query}`);
  const { entities = {}, ...answer } = structuredClone(call);
  if (!Array.isArray(representations)) return answer;
  const found = representations.map((one) => structuredClone(entities[JSON.stringify(one)] ?? null));
  return { ...answer, data: { _entities: found } };
}

export function recordedDataSource(suite: AuditSuite, subgraph: string): GraphQLDataSource {
  const process = async ({ request }: { request: RecordedRequest }) => recordedAnswer(suite, subgraph, request);
  return { process } as GraphQLDataSource;
}

/** Whether an answer is what the audit expects; where it does not say, errors do not matter. */
export function meets(
  { expected }: AuditCase,
  answer: { data?: unknown; errors?: readonly GraphQLFormattedError[] | undefined },
): boolean {
  const data = JSON.stringify(sorted(answer.data ?? null)) === JSON.stringify(sorted(expected.data ?? null));
  return data && (expected.errors === undefined || expected.errors === (answer.errors ?? []).length > 0);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([name, one]) => [name, sorted(one)] as const);
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}
