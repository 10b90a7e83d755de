import type { NodeDefinition, ProblemCode } from '../domain/runs/definition.ts';
import { LIMITS } from '../domain/runs/limits.ts';

export const transform = (id: string, value: unknown = '1') =>
  ({ id, type: 'transform', config: { value } }) as NodeDefinition;
export const edge = (from: string, to: string, port?: string) =>
  port === undefined ? { from, to } : { from, to, port };

export type ExpectedProblem = {
  code: ProblemCode;
  path: string;
  nodeId: string | null;
  message?: RegExp;
  hint?: RegExp;
};
/** The changes make a sound definition unsound in this one way. */
export type InvalidDefinition = [title: string, changes: object, expected: ExpectedProblem];
export const withConfig = (type: string, config: object, id = 'a'): object => ({ nodes: [{ id, type, config }] });

export const INVALID_DEFINITIONS: InvalidDefinition[] = [
  [
    'an unknown top-level field',
    { colour: 'red' },
    { code: 'DEFINITION_SHAPE', path: '/colour', nodeId: null, hint: /name, .*nodes/ },
  ],
  [
    'an unknown field of a node',
    { nodes: [{ ...transform('a'), retries: 3 }] },
    { code: 'DEFINITION_SHAPE', path: '/nodes/0/retries', nodeId: 'a', hint: /retry/ },
  ],
  [
    'a node that is no object',
    { nodes: [transform('a'), 7] },
    { code: 'DEFINITION_SHAPE', path: '/nodes/1', nodeId: null },
  ],
  ['a node without a type', { nodes: [{ id: 'a' }] }, { code: 'DEFINITION_SHAPE', path: '/nodes/0/type', nodeId: 'a' }],
  ['an edge without an end', { edges: [{ from: 'a' }] }, { code: 'DEFINITION_SHAPE', path: '/edges/0', nodeId: null }],
  ['nodes that are no list', { nodes: {} }, { code: 'DEFINITION_SHAPE', path: '/nodes', nodeId: null }],
  ['missing edges', { edges: undefined }, { code: 'DEFINITION_SHAPE', path: '/edges', nodeId: null }],
  [
    'an unknown policy',
    { policies: { onNodeFailure: 'ignore' } },
    { code: 'DEFINITION_SHAPE', path: '/policies/onNodeFailure', nodeId: null, message: /drain.*cancel/ },
  ],
  [
    'a bad name',
    { name: 'Research Brief' },
    { code: 'NAME_INVALID', path: '/name', nodeId: null, hint: /research-brief/ },
  ],
  ['a long name', { name: 'a'.repeat(256) }, { code: 'NAME_INVALID', path: '/name', nodeId: null }],
  [
    'an empty node id',
    { nodes: [transform(' ')] },
    { code: 'NODE_ID_EMPTY', path: '/nodes/0/id', nodeId: null, hint: /./ },
  ],
  [
    'a node id that is no name',
    { nodes: [transform('sign-off')] },
    { code: 'NODE_ID_INVALID', path: '/nodes/0/id', nodeId: 'sign-off', hint: /name/ },
  ],
  [
    'a node id that is too long',
    { nodes: [transform('a'.repeat(101))] },
    { code: 'NODE_ID_INVALID', path: '/nodes/0/id', nodeId: 'a'.repeat(101) },
  ],
  [
    'a node id of the prototype',
    { nodes: [transform('__proto__')] },
    { code: 'NODE_ID_INVALID', path: '/nodes/0/id', nodeId: '__proto__' },
  ],
  [
    'a node id used twice',
    { nodes: [transform('a'), transform('b'), transform('a')] },
    { code: 'NODE_ID_DUPLICATE', path: '/nodes/2/id', nodeId: 'a', message: /\/nodes\/0/, hint: /own/ },
  ],
  [
    'a mistyped node type',
    { nodes: [{ id: 'a', type: 'transfrom', config: { value: '1' } }] },
    { code: 'NODE_TYPE_UNKNOWN', path: '/nodes/0/type', nodeId: 'a', hint: /Did you mean transform\?/ },
  ],
  [
    'a node type of the prototype',
    { nodes: [{ id: 'a', type: 'constructor' }] },
    { code: 'NODE_TYPE_UNKNOWN', path: '/nodes/0/type', nodeId: 'a', hint: /Known are transform, .*http/ },
  ],
  [
    'an edge to nowhere',
    { nodes: [transform('analyze'), transform('b')], edges: [edge('b', 'analyse')] },
    { code: 'EDGE_TARGET_UNKNOWN', path: '/edges/0/to', nodeId: 'b', hint: /Did you mean analyze\?/ },
  ],
  [
    'an edge from nowhere',
    { edges: [edge('zzz', 'a')] },
    { code: 'EDGE_TARGET_UNKNOWN', path: '/edges/0/from', nodeId: 'a', hint: /Known are a\./ },
  ],
  [
    'a port that a type does not have',
    { nodes: [transform('a'), transform('b')], edges: [edge('a', 'b', 'true')] },
    { code: 'EDGE_PORT_UNKNOWN', path: '/edges/0/port', nodeId: 'a', hint: /out/ },
  ],
  [
    'a missing port',
    { nodes: [{ id: 'a', type: 'branch', config: { condition: 'true' } }, transform('b')], edges: [edge('a', 'b')] },
    { code: 'EDGE_PORT_UNKNOWN', path: '/edges/0/port', nodeId: 'a', hint: /true, false/ },
  ],
  [
    'an edge that is there twice',
    { nodes: [transform('a'), transform('b')], edges: [edge('a', 'b'), edge('a', 'b')] },
    { code: 'EDGE_DUPLICATE', path: '/edges/1', nodeId: 'a', hint: /Remove/ },
  ],
  [
    'a cycle, naming it',
    {
      nodes: [transform('a'), transform('b'), transform('c'), transform('d')],
      edges: [edge('a', 'b'), edge('b', 'c'), edge('c', 'b'), edge('c', 'd')],
    },
    { code: 'CYCLE', path: '/edges/2', nodeId: 'b', message: /b -> c -> b/, hint: /Remove/ },
  ],
  [
    'a node that follows itself',
    { edges: [edge('a', 'a')] },
    { code: 'CYCLE', path: '/edges/0', nodeId: 'a', message: /a -> a/ },
  ],
  [
    'a node behind a port that is never taken',
    {
      nodes: [{ id: 'ask', type: 'approval', config: { title: '?', onReject: 'fail' } }, transform('b')],
      edges: [edge('ask', 'b', 'rejected')],
    },
    { code: 'NODE_UNREACHABLE', path: '/nodes/1', nodeId: 'b', hint: /onReject/ },
  ],
  [
    'missing config',
    { nodes: [{ id: 'a', type: 'transform' }] },
    { code: 'CONFIG_MISSING', path: '/nodes/0/config/value', nodeId: 'a', hint: /Add "value"/ },
  ],
  [
    'config that is no object',
    { nodes: [{ id: 'a', type: 'merge', config: [] }] },
    { code: 'CONFIG_TYPE', path: '/nodes/0/config', nodeId: 'a' },
  ],
  [
    'a constant where CEL belongs',
    withConfig('transform', { value: { list: [1, 2] } }),
    { code: 'CONFIG_TYPE', path: '/nodes/0/config/value/list', nodeId: 'a', hint: /"\[1,2\]"/ },
  ],
  [
    'a number where CEL belongs',
    withConfig('branch', { condition: 7 }),
    { code: 'CONFIG_TYPE', path: '/nodes/0/config/condition', nodeId: 'a' },
  ],
  [
    'a word that is no choice',
    withConfig('merge', { mode: 'all' }),
    { code: 'CONFIG_TYPE', path: '/nodes/0/config/mode', nodeId: 'a', message: /"object", "list", "first"/ },
  ],
  [
    'a constant in the output',
    { output: { a: 5 } },
    { code: 'CONFIG_TYPE', path: '/output/a', nodeId: null, hint: /"5"/ },
  ],
  [
    'a mistyped config',
    withConfig('transform', { value: '1', valeu: '2' }),
    { code: 'CONFIG_UNKNOWN', path: '/nodes/0/config/valeu', nodeId: 'a', hint: /Did you mean value\?/ },
  ],
  [
    'a retry where nothing is retried',
    { nodes: [{ ...transform('a'), retry: { maximumAttempts: 3 } }] },
    { code: 'CONFIG_UNKNOWN', path: '/nodes/0/retry', nodeId: 'a', message: /inside the workflow/, hint: /Remove it/ },
  ],
  [
    'config of the prototype',
    withConfig('transform', { value: '1', constructor: '2' }),
    { code: 'CONFIG_UNKNOWN', path: '/nodes/0/config/constructor', nodeId: 'a' },
  ],
  [
    'config named __proto__',
    { nodes: [JSON.parse('{"id":"a","type":"merge","config":{"__proto__":{"x":1}}}')] },
    { code: 'CONFIG_UNKNOWN', path: '/nodes/0/config/__proto__', nodeId: 'a' },
  ],
  [
    'CEL that does not parse, with its column',
    withConfig('transform', { value: '1 +\n  * 2' }),
    {
      code: 'EXPRESSION_INVALID',
      path: '/nodes/0/config/value',
      nodeId: 'a',
      message: /line 2, column 3/,
      hint: /input, nodes/,
    },
  ],
  [
    'CEL that cannot be typed, with its column',
    withConfig('transform', { value: '1 + "a"' }),
    { code: 'EXPRESSION_INVALID', path: '/nodes/0/config/value', nodeId: 'a', message: /int \+ string.*column 1/ },
  ],
  [
    'CEL over an unknown variable',
    { output: 'outputs.a' },
    { code: 'EXPRESSION_INVALID', path: '/output', nodeId: null, message: /outputs/ },
  ],
  [
    'a template that does not parse',
    withConfig('template', { template: 'Hi {{#if input.a}}' }),
    { code: 'TEMPLATE_INVALID', path: '/nodes/0/config/template', nodeId: 'a', message: /line 1/ },
  ],
  [
    'an unknown helper',
    withConfig('template', { template: 'Hi\n {{shout input.a}}' }),
    {
      code: 'TEMPLATE_INVALID',
      path: '/nodes/0/config/template',
      nodeId: 'a',
      message: /shout.*uppercase.*line 2, column 2/,
    },
  ],
  [
    'a helper without a value',
    withConfig('template', { template: '{{json}}' }),
    { code: 'TEMPLATE_INVALID', path: '/nodes/0/config/template', nodeId: 'a', message: /this\.json/ },
  ],
  [
    'a reference to no node',
    { nodes: [transform('analyze'), transform('b', 'nodes.analyse.output')], edges: [edge('analyze', 'b')] },
    {
      code: 'REFERENCE_UNKNOWN',
      path: '/nodes/1/config/value',
      nodeId: 'b',
      message: /analyse.*column 1/,
      hint: /Did you mean analyze\?/,
    },
  ],
  [
    'a reference past the output',
    { nodes: [transform('a'), transform('b', 'nodes.a.words')], edges: [edge('a', 'b')] },
    { code: 'REFERENCE_UNKNOWN', path: '/nodes/1/config/value', nodeId: 'b', hint: /nodes\.a\.output\.words/ },
  ],
  [
    'a name that no template has',
    withConfig('template', { template: '{{title}}' }),
    { code: 'REFERENCE_UNKNOWN', path: '/nodes/0/config/template', nodeId: 'a', hint: /input\.<name>/ },
  ],
  [
    'a name that is not in the values of a prompt',
    withConfig('model.complete', { prompt: 'Sum up {{titel}}', values: { title: 'input.title' } }),
    { code: 'REFERENCE_UNKNOWN', path: '/nodes/0/config/prompt', nodeId: 'a', hint: /"titel"/ },
  ],
  [
    'a reference to a node that runs beside',
    { nodes: [transform('a'), transform('b', '[1, nodes.a.output]')] },
    {
      code: 'REFERENCE_NOT_BEFORE',
      path: '/nodes/1/config/value',
      nodeId: 'b',
      message: /column 5/,
      hint: /add an edge/,
    },
  ],
  [
    'a reference to itself',
    { nodes: [transform('a', 'nodes.a.output')] },
    { code: 'REFERENCE_NOT_BEFORE', path: '/nodes/0/config/value', nodeId: 'a', message: /reads itself/ },
  ],
  [
    'a template that reads a node that runs later',
    {
      nodes: [
        { id: 'a', type: 'template', config: { template: '{{#each input.list}}{{@root.nodes.b.output}}{{/each}}' } },
        transform('b'),
      ],
      edges: [edge('a', 'b')],
    },
    { code: 'REFERENCE_NOT_BEFORE', path: '/nodes/0/config/template', nodeId: 'a' },
  ],
  ['an input that is no schema', { input: 'string' }, { code: 'INPUT_SCHEMA_INVALID', path: '/input', nodeId: null }],
  ['no node', { nodes: [] }, { code: 'LIMIT_EXCEEDED', path: '/nodes', nodeId: null }],
  [
    'too many nodes',
    { nodes: Array.from({ length: LIMITS.nodes + 1 }, (_, index) => transform(`n${index}`)) },
    { code: 'LIMIT_EXCEEDED', path: '/nodes', nodeId: null, message: /1001 nodes; the limit is 1000/ },
  ],
  [
    'a path that is too long',
    {
      nodes: Array.from({ length: 101 }, (_, index) => transform(`n${index}`)),
      edges: Array.from({ length: 100 }, (_, index) => edge(`n${index}`, `n${index + 1}`)),
    },
    { code: 'LIMIT_EXCEEDED', path: '/edges', nodeId: null, message: /101 nodes; the limit is 100/ },
  ],
  [
    'too many targets of a port',
    {
      nodes: Array.from({ length: 52 }, (_, index) => transform(`n${index}`)),
      edges: Array.from({ length: 51 }, (_, index) => edge('n0', `n${index + 1}`)),
    },
    { code: 'LIMIT_EXCEEDED', path: '/edges', nodeId: 'n0', message: /51 edges/ },
  ],
  [
    'too many attempts',
    { nodes: [{ id: 'a', type: 'http', config: { url: 'http://x' }, retry: { maximumAttempts: 101 } }] },
    { code: 'LIMIT_EXCEEDED', path: '/nodes/0/retry/maximumAttempts', nodeId: 'a', message: /from 1 to 100/ },
  ],
  [
    'a first wait longer than the longest, which Temporal refuses',
    {
      nodes: [{ id: 'a', type: 'http', config: { url: 'https://example.org' }, retry: { initialIntervalMs: 120_000 } }],
    },
    { code: 'LIMIT_EXCEEDED', path: '/nodes/0/retry', nodeId: 'a', message: /120000.*60000/, hint: /both/ },
  ],
  [
    'a timeout of more than a year',
    { policies: { runTimeoutMs: 1e12 } },
    { code: 'LIMIT_EXCEEDED', path: '/policies/runTimeoutMs', nodeId: null },
  ],
  [
    'a delay of more than a year',
    withConfig('delay', { durationMs: 1e12 }),
    { code: 'LIMIT_EXCEEDED', path: '/nodes/0/config/durationMs', nodeId: 'a' },
  ],
  [
    'a literal out of range',
    withConfig('content.analyze', { text: 'input', maxKeywords: 101 }),
    { code: 'LIMIT_EXCEEDED', path: '/nodes/0/config/maxKeywords', nodeId: 'a', message: /from 1 to 100/ },
  ],
];
