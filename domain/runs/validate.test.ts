import { describe, expect, it } from '@jest/globals';
import { INVALID_BODIES } from '../../tests/invalid-bodies.ts';
import {
  edge,
  type ExpectedProblem,
  INVALID_DEFINITIONS,
  transform,
  withConfig,
} from '../../tests/invalid-definitions.ts';
import type { DefinitionProblem, ProblemCode } from './definition.ts';
import { validateDefinition } from './validate.ts';

/** A definition without problems, but for the changes. */
function problemsOf(changes: object): DefinitionProblem[] {
  return validateDefinition({ name: 'sample', nodes: [transform('a')], edges: [], ...changes });
}

function expectOnly(problems: DefinitionProblem[], { message, hint, ...expected }: ExpectedProblem): void {
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject(expected);
  if (message) expect(problems[0]?.message).toMatch(message);
  if (hint) expect(problems[0]?.hint).toMatch(hint);
}

const CASES = [...INVALID_DEFINITIONS, ...INVALID_BODIES];

describe('validateDefinition', () => {
  it.each(CASES)('reports %s', (_title, changes, expected) => {
    expectOnly(problemsOf(changes), expected);
  });

  it('has a case for every problem code', () => {
    // Those of queues depend on the pools: validate-queues.ts.
    const codes: Record<Exclude<ProblemCode, 'QUEUE_UNKNOWN' | 'QUEUE_NOT_ALLOWED'>, true> = {
      DEFINITION_SHAPE: true,
      NAME_INVALID: true,
      NODE_ID_EMPTY: true,
      NODE_ID_INVALID: true,
      NODE_ID_DUPLICATE: true,
      NODE_TYPE_UNKNOWN: true,
      EDGE_TARGET_UNKNOWN: true,
      EDGE_PORT_UNKNOWN: true,
      EDGE_DUPLICATE: true,
      EDGE_LEAVES_BODY: true,
      PARENT_UNKNOWN: true,
      PARENT_INVALID: true,
      VARIABLE_UNKNOWN: true,
      CYCLE: true,
      NODE_UNREACHABLE: true,
      CONFIG_MISSING: true,
      CONFIG_TYPE: true,
      CONFIG_UNKNOWN: true,
      EXPRESSION_INVALID: true,
      TEMPLATE_INVALID: true,
      REFERENCE_UNKNOWN: true,
      REFERENCE_NOT_BEFORE: true,
      INPUT_SCHEMA_INVALID: true,
      LIMIT_EXCEEDED: true,
    };
    expect(new Set(CASES.map(([, , expected]) => expected.code))).toEqual(new Set(Object.keys(codes)));
  });

  it('returns all problems at once, also beside parts that cannot be read', () => {
    const problems = validateDefinition({
      name: 'Bad',
      policies: { runTimeoutMs: 0 },
      nodes: [
        transform('a', '1 +'),
        { id: 'b' },
        { id: 'c', type: 'http', config: {} },
        7,
        { id: 'd', type: 'template', config: { template: '{{#if}}' } },
      ],
      edges: [edge('a', 'zzz'), edge('c', 'd', 'nowhere'), 'a -> b'],
      output: { x: 'nodes.zzz.output', y: 1 },
    });
    expect(problems.map(({ code, path }) => `${code} ${path}`).sort()).toEqual([
      'CONFIG_MISSING /nodes/2/config/url',
      'CONFIG_TYPE /output/y',
      'DEFINITION_SHAPE /edges/2',
      'DEFINITION_SHAPE /nodes/1/type',
      'DEFINITION_SHAPE /nodes/3',
      'EDGE_PORT_UNKNOWN /edges/1/port',
      'EDGE_TARGET_UNKNOWN /edges/0/to',
      'EXPRESSION_INVALID /nodes/0/config/value',
      'LIMIT_EXCEEDED /policies/runTimeoutMs',
      'NAME_INVALID /name',
      'REFERENCE_UNKNOWN /output/x',
      'TEMPLATE_INVALID /nodes/4/config/template',
    ]);
  });

  it('names each of several cycles once, and nothing that only follows one', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const problems = problemsOf({
      nodes: ids.map((id) => transform(id)),
      edges: [
        edge('a', 'b'),
        edge('b', 'a'),
        edge('b', 'c'),
        edge('d', 'e'),
        edge('e', 'd'),
        edge('c', 'f'),
        edge('e', 'f'),
      ],
    });
    expect(problems.map((problem) => problem.message)).toEqual([
      'The nodes form a cycle: a -> b -> a',
      'The nodes form a cycle: d -> e -> d',
    ]);
  });

  it('reports all that can never run, also behind others', () => {
    const ask = { id: 'ask', type: 'approval', config: { title: '?', timeoutMs: 5 } };
    const problems = problemsOf({
      nodes: [ask, transform('late'), transform('later'), transform('live')],
      edges: [
        edge('ask', 'late', 'timed_out'),
        edge('late', 'later'),
        edge('later', 'live'),
        edge('ask', 'live', 'approved'),
      ],
    });
    expect(problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'NODE_UNREACHABLE /nodes/1',
      'NODE_UNREACHABLE /nodes/2',
    ]);
  });

  it('escapes JSON Pointers', () => {
    expect(problemsOf(withConfig('transform', { value: { 'a/b~c': 5 } }))[0]?.path).toBe(
      '/nodes/0/config/value/a~1b~0c',
    );
  });

  it('finds no fault with nodes named like members of prototypes', () => {
    const nodes = [transform('constructor'), transform('hasOwnProperty', 'nodes.constructor.output')];
    expect(
      problemsOf({
        nodes,
        edges: [edge('constructor', 'hasOwnProperty')],
        output: { constructor: 'nodes.constructor.output' },
      }),
    ).toEqual([]);
  });

  it('does not blame what follows an unknown edge', () => {
    const nodes = [transform('a'), transform('b', 'nodes.a.output')];
    expect(problemsOf({ nodes, edges: [edge('a', 'bb')] }).map((problem) => problem.code)).toEqual([
      'EDGE_TARGET_UNKNOWN',
    ]);
  });
});
