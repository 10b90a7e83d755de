import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomRun } from '../../tests/random-definition.ts';
import type { JsonObject } from '../json.ts';
import type { NodeDefinition, WorkflowDefinition } from './definition.ts';
import { validateDefinition } from './validate.ts';

const transform = (id: string, value = '1') => ({ id, type: 'transform', config: { value } });
const edge = (from: string, to: string) => ({ from, to });
const many = (count: number) => Array.from({ length: count }, (_, index) => index);
const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
const withNodes = (...nodes: object[]) => ({ name: 'x', nodes, edges: [] });
const withTemplate = (template: string) => withNodes({ id: 'a', type: 'template', config: { template } });

function circular(): object {
  const value: JsonObject = { name: 'circular', edges: [] };
  value['nodes'] = [value, value];
  return value;
}

const HOSTILE: Record<string, () => unknown> = {
  nothing: () => undefined,
  null: () => null,
  'a list': () => [],
  'a big integer': () => ({ name: 1n }),
  'a long text': () => 'x'.repeat(5_000_000),
  'deep JSON': () => nested(100_000),
  'deep JSON inside': () => ({ ...withNodes(transform('a')), metadata: { deep: nested(100_000) } }),
  itself: circular,
  'more than the size limit': () => withNodes(...many(100_000).map((index) => transform(`n${index}`))),
  'an expression of 100,000 characters': () => withNodes(transform('a', `1${' + 1'.repeat(25_000)}`)),
  'a long chain of operators': () => withNodes(transform('a', `1${'+1'.repeat(4_900)}`)),
  'a long chain of fields': () => withNodes(transform('a', `input${'.a'.repeat(4_900)}`)),
  'a long chain of negations': () => withNodes(transform('a', `${'!'.repeat(9_900)}true`)),
  'a long chain of conditions': () => withNodes(transform('a', `${'true?1:'.repeat(1_400)}1`)),
  'deep parentheses': () => withNodes(transform('a', `${'('.repeat(4_900)}1${')'.repeat(4_900)}`)),
  'deep lists': () => withNodes(transform('a', `${'['.repeat(4_900)}${']'.repeat(4_900)}`)),
  'deep blocks': () => withTemplate('{{#if input}}'.repeat(3000) + '{{/if}}'.repeat(3000)),
  'deep else blocks': () => withTemplate(`{{#if input}}${'{{else if input}}'.repeat(3000)}{{/if}}`),
  'a template of nothing but tags': () => withTemplate('{{input}}'.repeat(10_000)),
  'a thousand long names that nearly fit, at 5,000 edges': () => ({
    name: 'x',
    nodes: many(1000).map((index) => transform(`${'a'.repeat(36)}${index}`)),
    edges: many(5000).map((index) => edge(`${'a'.repeat(35)}b${index % 1000}`, `${'a'.repeat(35)}c${index}`)),
  }),
  'a thousand nodes in one dense knot': () => ({
    name: 'x',
    nodes: many(1000).map((index) => transform(`n${index}`)),
    edges: many(5000).map((index) => edge(`n${index % 1000}`, `n${(index * 7 + (index % 13)) % 1000}`)),
  }),
  '200,000 unknown fields': () => ({
    ...withNodes(),
    ...Object.fromEntries(many(200_000).map((index) => [`k${index}`, 0])),
  }),
  'keys of prototypes': () =>
    JSON.parse(
      '{"__proto__":{"nodes":[]},"constructor":1,"name":"x","nodes":[{"__proto__":1,"id":"a","type":"__proto__"}],"edges":[]}',
    ),
};

/** Jest's own time limit of 5 s a test is the bound. */
describe('a hostile definition', () => {
  it.each(Object.keys(HOSTILE))('is refused: %s', (title) => {
    const problems = validateDefinition(HOSTILE[title]?.());
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThanOrEqual(1001);
  });

  it('is told when not all of its problems are listed', () => {
    const problems = validateDefinition(HOSTILE['200,000 unknown fields']?.());
    expect(problems.at(-1)).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('more than 1000 problems'),
    });
  });
});

describe('validateDefinition', () => {
  it('answers without throwing whatever JSON it is given', () => {
    const word = fc.constantFrom('a', 'b', '__proto__', 'constructor', '');
    const node = fc.record({
      id: word,
      type: fc.constantFrom('http', 'transform', 'delay', 'nope'),
      config: fc.jsonValue(),
    });
    const value = fc.oneof(
      fc.jsonValue(),
      fc.record({
        name: fc.string(),
        nodes: fc.array(fc.jsonValue()),
        edges: fc.array(fc.jsonValue()),
        output: fc.jsonValue(),
      }),
      fc.record({
        name: fc.constant('x'),
        nodes: fc.array(node),
        edges: fc.array(fc.record({ from: word, to: word, port: fc.jsonValue() })),
      }),
    );
    fc.assert(
      fc.property(value, (definition) => expect(Array.isArray(validateDefinition(definition))).toBe(true)),
      { numRuns: 1000 },
    );
  });

  it('finds what one change breaks in a valid definition', () => {
    const changes: ((definition: WorkflowDefinition) => void)[] = [
      ({ nodes }) => Object.assign((nodes[0] as NodeDefinition).config as JsonObject, { nope: 1 }),
      ({ nodes }) => nodes.push({ id: 'n0', type: 'merge' }),
      ({ nodes }) => Object.assign(nodes[0] as NodeDefinition, { type: 'nope' }),
      ({ edges }) => edges.push({ from: 'n0', to: 'nobody' }),
      ({ edges }) => edges.push({ from: 'n0', to: 'n0', port: 'out' }),
      (definition) => Object.assign(definition, { output: 'nodes.nobody.output' }),
    ];
    fc.assert(
      fc.property(randomRun(), fc.constantFrom(...changes), ({ definition }, change) => {
        change(definition);
        expect(validateDefinition(definition).length).toBeGreaterThan(0);
      }),
    );
  });
});
