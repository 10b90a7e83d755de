import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../json.ts';
import type { JsonSchema, NodeDefinition, WorkflowDefinition } from './definition.ts';
import { describeType, typeOfSchema } from './expression-types.ts';
import { validateTypes } from './expression-types-check.ts';
import { typesOf } from './expression-types-scope.ts';
import { problemList } from './problem-list.ts';

const INPUT: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: { type: 'string' },
    at: { type: 'string', format: 'date-time' },
    count: { type: 'integer' },
    tags: {
      type: 'array',
      items: { type: 'object', additionalProperties: false, properties: { label: { type: 'string' } } },
    },
    place: { type: 'object', properties: { city: { type: 'string' } } },
    anything: {},
    maybe: { type: ['string', 'null'] },
    either: {
      anyOf: [
        { type: 'string' },
        { type: 'object', additionalProperties: false, properties: { id: { type: 'number' } } },
      ],
    },
  },
};

function problemsOf(nodes: NodeDefinition[], more: Partial<WorkflowDefinition> = {}): string[] {
  const { problems, report } = problemList();
  const edges = nodes.slice(1).map((node, index) => ({ from: (nodes[index] as NodeDefinition).id, to: node.id }));
  validateTypes({ name: 'x', input: INPUT, nodes, edges, ...more }, report);
  return problems.map(
    ({ code, path, message, hint }) => `${code} ${path}: ${message}${hint === null ? '' : ` | ${hint}`}`,
  );
}
const inExpression = (value: string, before: NodeDefinition[] = []) =>
  problemsOf([...before, { id: 'here', type: 'transform', config: { value } }]).map((problem) =>
    problem.replace(/^\S+ \S+ /, ''),
  );

const CALL: NodeDefinition = { id: 'call', type: 'http', config: { url: 'https://example.org' } };

describe('an expression that can never work', () => {
  it.each([
    ['input.nmae', 'input has no field nmae (line 1, column 7) | Did you mean name?'],
    ['input["nmae"]', 'input has no field nmae (line 1, column 10) | Did you mean name?'],
    ['has(input.nmae)', 'input has no field nmae (line 1, column 11) | Did you mean name?'],
    ['1 +\n input.tags[0].lable', 'input.tags[0] has no field lable (line 2, column 16) | Did you mean label?'],
    ['input.tags.map(t, t.lable)', 't has no field lable (line 1, column 21) | Did you mean label?'],
    [
      'input.tags.filter(t, t.label != "")[0].x',
      'input.tags.filter(t, t.label != "")[0] has no field x (line 1, column 40) | Known are label.',
    ],
    ['input.name.first', 'input.name is a string and has no fields (line 1, column 12)'],
    ['input.name + 1', 'a string and a number cannot be added (line 1, column 1) | string(x) makes a text.'],
    ['input.name - input.at', 'a string and a string do not go with - (line 1, column 1)'],
    ['input.count < "3"', 'a number and a string cannot be compared (line 1, column 1) | string(x) makes a text.'],
    ['input.count ? 1 : 2', 'input.count is a number: a condition is a bool (line 1, column 1)'],
    ['!input.name', 'input.name is a string: ! negates a bool (line 1, column 2)'],
    ['size(input.count)', 'input.count is a number: only texts, lists and objects have a size (line 1, column 6)'],
    ['input.name.map(c, c)', 'input.name is a string: map() goes over a list or an object (line 1, column 1)'],
    ['input.count.startsWith("a")', 'input.count is a number: startsWith() is for string (line 1, column 1)'],
    [
      'input.at.getHours()',
      'input.at is a string: getHours() is for timestamp or duration (line 1, column 1) | timestamp(x) makes a time of a text.',
    ],
    ['"a" in input.name', 'input.name is a string: in asks a list or an object (line 1, column 8)'],
    ['{"a": 1}.b', '{"a": 1} has no field b (line 1, column 10) | Known are a.'],
    ['input.either.di', 'input.either has no field di (line 1, column 14) | Known are id.'],
    ['input.?nmae.orValue("x")', 'input has no field nmae (line 1, column 8) | Did you mean name?'],
  ])('%s', (expression, problem) => expect(inExpression(expression)).toEqual([problem]));

  it('knows what nodes before give', () => {
    expect(inExpression('nodes.call.output.statsu', [CALL])).toEqual([
      'nodes.call.output has no field statsu (line 1, column 19) | Did you mean status?',
    ]);
    expect(inExpression('nodes.call.output.status + "x"', [CALL])).toHaveLength(1);
    const facts: NodeDefinition = {
      id: 'facts',
      type: 'transform',
      config: { value: { words: 'size(input.tags)', all: 'input.tags' } },
    };
    expect(inExpression('nodes.facts.output.wrods', [facts])).toEqual([
      'nodes.facts.output has no field wrods (line 1, column 20) | Did you mean words?',
    ]);
    expect(inExpression('nodes.facts.output.all.map(t, t.labl)', [facts])).toHaveLength(1);
    expect(inExpression('nodes.facts.error.cod', [facts])).toHaveLength(1);
  });

  it('gives what its field cannot take', () => {
    expect(problemsOf([{ id: 'a', type: 'branch', config: { condition: 'input.name' } }])).toEqual([
      'EXPRESSION_INVALID /nodes/0/config/condition: gives string, not bool',
    ]);
    expect(problemsOf([{ id: 'a', type: 'delay', config: { durationMs: 'input.name' } }])).toHaveLength(1);
    expect(problemsOf([{ id: 'a', type: 'map', config: { items: 'input.count' } }])).toHaveLength(1);
    expect(
      problemsOf([{ id: 'a', type: 'switch', config: { cases: [{ port: 'x', when: 'size(input.tags)' }] } }]),
    ).toHaveLength(1);
  });

  it('is found in the bodies of containers, which bind names of their own', () => {
    const body: NodeDefinition[] = [
      { id: 'each', type: 'map', config: { items: 'input.tags', result: { up: 'nodes.up.output.lable' } } },
      {
        id: 'up',
        parent: 'each',
        type: 'transform',
        config: { value: { label: 'item.label.upperAscii()', n: 'index + 1', bad: 'item.labl' } },
      },
      { id: 'after', type: 'transform', config: { value: 'nodes.each.output.results[0].down' } },
    ];
    expect(problemsOf(body, { edges: [{ from: 'each', to: 'after' }] })).toEqual([
      expect.stringMatching(
        /^REFERENCE_UNKNOWN \/nodes\/0\/config\/result\/up: .* has no field lable .*Did you mean label\?$/,
      ),
      expect.stringMatching(/^REFERENCE_UNKNOWN \/nodes\/1\/config\/value\/bad: item has no field labl/),
      expect.stringMatching(/^REFERENCE_UNKNOWN \/nodes\/2\/config\/value: .* has no field down/),
    ]);
  });

  it('is found in templates, prompts, undos and the output', () => {
    expect(
      problemsOf(
        [
          {
            id: 'a',
            type: 'template',
            config: { template: '{{input.name}} {{#each input.tags}}{{this.x}}{{/each}} {{input.nmae}}' },
          },
          { ...CALL, undo: { type: 'http', config: { url: 'https://example.org/{{nodes.call.output.boddy}}' } } },
          {
            id: 'm',
            type: 'model.complete',
            config: { prompt: '{{who.x}} {{place.city}}', values: { who: 'input.name', place: 'input.place' } },
          },
        ],
        { output: { x: 'nodes.call.output.headers.x', y: 'nodes.call.output.urll' } },
      ),
    ).toEqual([
      'REFERENCE_UNKNOWN /nodes/0/config/template: The template names input.nmae, but input has no field nmae | Did you mean name?',
      expect.stringMatching(/^REFERENCE_UNKNOWN \/nodes\/1\/undo\/config\/url: .*boddy/),
      expect.stringMatching(/^REFERENCE_UNKNOWN \/output\/y: .*urll/),
    ]);
  });
});

describe('an expression that may work', () => {
  it.each([
    'input.anything.deep.er + 1',
    'input.place.town',
    'input.maybe == null ? "none" : input.maybe + "!"',
    'input.count + 1 > 2.5 && input.name == input.at',
    'timestamp(input.at) - duration("1h") < timestamp("2026-01-01T00:00:00Z")',
    'timestamp(input.at).getHours() % 2 == 0',
    'input.?name.orValue("x").startsWith("a")',
    'input.tags.exists(t, t.label == "x") || size(input.name) > 3',
    '[1, "a", null].map(x, x)',
    '[input.name] + ["b"]',
    'input.either.startsWith("a") ? 1 : input.either.id',
    '"name" in input',
    'input.tags[0].?label.hasValue()',
    '{"a": input.tags}.a[0].label',
    '[[1, 2], [3]].map(x, x.map(y, y + 1))',
    'run.workflow + "-" + run.webhooks.hook',
  ])('is left alone: %s', (expression) => expect(inExpression(expression)).toEqual([]));

  it('is left alone where the schema is open or nothing is known', () => {
    expect(
      problemsOf([{ id: 'a', type: 'transform', config: { value: 'input.nmae' } }], { input: { type: 'object' } }),
    ).toEqual([]);
    expect(
      problemsOf([{ id: 'a', type: 'subworkflow', config: { workflow: 'b' } }], { output: 'nodes.a.output.x.y' }),
    ).toEqual([]);
  });

  it('may read the error of a node that goes on after it', () => {
    const failing: NodeDefinition = { ...CALL, onError: 'route' };
    expect(inExpression('nodes.call.output.error.code == "X" ? 0 : nodes.call.output.status', [failing])).toEqual([]);
    const fallback: NodeDefinition = { ...CALL, onError: 'continue', fallback: { cached: 'true' } };
    expect(inExpression('nodes.call.output.cached', [fallback])).toEqual([]);
  });
});

describe('types', () => {
  const described = (schema: JsonSchema) => describeType(typeOfSchema(schema));

  it('come of schemas', () => {
    expect(described(INPUT)).toBe('{name, at, count, tags, place, anything, maybe, either}');
    expect(described({ type: ['string', 'null'] })).toBe('string or null');
    expect(described({ enum: ['a', 1, null] })).toBe('string or number or null');
    expect(described({ type: 'array', items: { type: 'integer' } })).toBe('list of number');
    expect(described({ $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'string' } } })).toBe('string');
    expect(described(true)).toBe('any');
    expect(described({ $ref: 'https://example.org/other' })).toBe('any');
  });

  it('may contain themselves', () => {
    const tree: JsonSchema = {
      $ref: '#/$defs/tree',
      $defs: {
        tree: {
          type: 'object',
          additionalProperties: false,
          properties: { value: { type: 'number' }, children: { type: 'array', items: { $ref: '#/$defs/tree' } } },
        },
      },
    };
    const deep = (field: string) =>
      problemsOf([{ id: 'a', type: 'transform', config: { value: `input.children[0].children[0].${field}` } }], {
        input: tree,
      });
    expect(deep('value')).toEqual([]);
    expect(deep('vlaue')).toHaveLength(1);
    expect(described({ $ref: '#' })).toBe('any');
  });

  it('flow through merges', () => {
    const nodes: NodeDefinition[] = [
      CALL,
      { id: 'other', type: 'template', config: { template: 'x' } },
      { id: 'all', type: 'merge' },
      { id: 'first', type: 'merge', config: { mode: 'first' } },
    ];
    const edges = ['all', 'first'].flatMap((to) => [
      { from: 'call', to },
      { from: 'other', to },
    ]);
    const types = typesOf({ name: 'x', nodes, edges });
    expect(describeType(types.outputOf('all'))).toBe('{call, other}');
    expect(describeType(types.outputOf('first'))).toBe('{status, headers, body, url} or null or string');
  });
});
