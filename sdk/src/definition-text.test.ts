import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Json } from '../../domain/json.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { validateDefinition } from '../../domain/runs/validate.ts';
import { parseText, placeProblems, printText } from './definition-text.ts';

/** Texts that YAML would read as something else, were they not quoted, among all others. */
const awkward = fc.constantFrom(
  ...[
    'yes',
    'null',
    '~',
    '1',
    '0x1f',
    '1e3',
    '.nan',
    '.inf',
    '2020-01-01',
    '<<',
    '- a',
    '# c',
    'a: b',
    '&a',
    '*a',
    '!b',
    '',
    ' x ',
  ],
  ...[
    '"\\"red\\""',
    'line\nline\n\n',
    '\n lead',
    'trail \n',
    '\ttab',
    'e\u0301 \u{1F600}',
    '\u2028',
    '---',
    '...',
    '%x',
    '{{#if a}}',
    '__proto__',
  ],
);
const anyText = fc.oneof(awkward, fc.string({ unit: 'binary' }));
const { value: anyJson } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    anyText,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
    fc.maxSafeInteger(),
    fc.constantFrom(true, false, null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(anyText, tie('value'), { maxKeys: 4 }) as fc.Arbitrary<Json>,
  ),
}));
const definition = fc.record(
  {
    name: anyText,
    description: anyText,
    variables: fc.dictionary(anyText, anyJson, { maxKeys: 3 }),
    nodes: fc.array(
      fc.record({ id: anyText, type: anyText, config: anyJson, retry: anyJson }, { requiredKeys: ['type', 'id'] }),
      {
        maxLength: 4,
      },
    ),
    edges: fc.array(fc.record({ from: anyText, to: anyText }), { maxLength: 3 }),
    output: anyJson,
  },
  { requiredKeys: ['name', 'nodes', 'edges'] },
) as unknown as fc.Arbitrary<WorkflowDefinition>;

describe('a definition as text', () => {
  it.each(['yaml', 'json'] as const)('is the same definition again when it is read as %s', (format) => {
    fc.assert(
      fc.property(definition, (given) => {
        const { value, problems } = parseText(printText(given, format), format);
        expect(problems).toEqual([]);
        expect(canonicalJson(value)).toBe(canonicalJson(given));
      }),
      { numRuns: 500 },
    );
  });

  it('has its fields in the order in which people read them', () => {
    const printed = printText({ edges: [], nodes: [{ type: 'transform', config: {}, id: 'a' }], name: 'x' }, 'yaml');
    expect(printed).toBe('name: x\nnodes:\n  - id: a\n    type: transform\n    config: {}\nedges: []\n');
  });
});

describe('text that is no definition', () => {
  const problemsOf = (text: string, format: 'json' | 'yaml') =>
    parseText(text, format).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);

  it('names line and column of what YAML cannot read', () => {
    expect(problemsOf('name: x\nnodes: [\nedges: []\n', 'yaml')[0]).toMatch(/^\d+:\d+ /);
    expect(problemsOf('a: 1\nb: 2\na: 3\n', 'yaml')).toEqual(['3:1 Map keys must be unique']);
    expect(problemsOf('a: 1\n---\nb: 2\n', 'yaml')).toEqual(['2:1 One document is meant; there are several']);
    expect(problemsOf('a: !secret 1\n', 'yaml')[0]).toMatch(/^1:4 Unresolved tag/);
    expect(problemsOf('a:\n  - .nan\n', 'yaml')).toEqual(['2:5 JSON has no such number']);
  });

  it('refuses in JSON what only YAML has', () => {
    expect(problemsOf('{\n  "a": 1,\n}', 'json')[0]).toMatch(/^3:1 /);
    expect(problemsOf("{'a': 1}", 'json')[0]).toMatch(/^1:2 /);
    expect(problemsOf('{"a": 1, "a": 2}', 'json')).toEqual(['1:10 Map keys must be unique']);
    expect(problemsOf('', 'json')).toHaveLength(1);
  });

  it('does not let aliases blow up', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefgh'.split('')].map((line, index, all) => {
      if (index === 0) return line;
      const before = index === 1 ? 'a' : all[index - 1];
      return `${line}: &${line} [${Array.from({ length: 9 }, () => `*${before}`).join(',')}]`;
    });
    expect(parseText(bomb.join('\n'), 'yaml').problems[0]?.message).toMatch(/alias/i);
  });
});

describe('problems of a definition', () => {
  it.each([
    [
      'yaml',
      'name: x\nnodes:\n  - id: a\n    type: transform\n    config:\n      value: 1 +\nedges:\n  - {from: a, to: b}\n',
    ],
    [
      'json',
      '{"name": "x",\n"nodes": [\n  {"id": "a",\n    "type": "transform",\n    "config": {\n      "value": "1 +"}}],\n"edges":[\n  {"from": "a", "to": "b"}]}',
    ],
  ] as const)('are placed at line and column of the %s', (format, text) => {
    const parsed = parseText(text, format);
    const placed = placeProblems(validateDefinition(parsed.value), parsed);
    expect(placed.map(({ code, line }) => `${code} ${line}`).sort()).toEqual([
      'EDGE_TARGET_UNKNOWN 8',
      'EXPRESSION_INVALID 6',
    ]);
    expect(placed.find(({ code }) => code === 'EXPRESSION_INVALID')?.column).toBe(7);
  });

  it('that name what is missing stand at what it is missing from', () => {
    const parsed = parseText('name: x\nnodes:\n  - id: a\n    type: transform\n    config: {}\nedges: []\n', 'yaml');
    const [problem] = placeProblems(validateDefinition(parsed.value), parsed);
    expect(problem).toMatchObject({ code: 'CONFIG_MISSING', path: '/nodes/0/config/value', line: 5, column: 5 });
  });
});
