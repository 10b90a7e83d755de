import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Json, JsonObject } from '../json.ts';
import { environment } from './expression-environment.ts';
import { fromCel } from './expression-value.ts';
import type { ExpressionContext } from './expression.ts';
import { evaluateExpression } from './expression.ts';
import { followPath } from './plain-path.ts';

const name = fc.constantFrom('a', 'b', 'in', 'size', 'null', 'valueOf', '_x', 'B2');
const leaf: fc.Arbitrary<Json> = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string(),
  fc.boolean(),
  fc.constant(null),
);
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const path = fc.tuple(fc.constantFrom('input', 'run', 'nodes'), fc.array(name, { minLength: 1, maxLength: 4 }));

const contextOf = (input: Json, nodes: JsonObject): ExpressionContext => ({
  input,
  run: { workflow: 'w' },
  vars: {},
  bindings: {},
  node: (id) => (Object.hasOwn(nodes, id) ? (nodes[id] as Json) : null),
});

describe('following a plain path', () => {
  it('gives what CEL gives, or leaves it to CEL', () => {
    const cases = fc.tuple(path, value, fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true }));
    fc.assert(
      fc.property(cases, ([[root, names], input, nodes]) => {
        const expression = [root, ...names].join('.');
        const context = contextOf(input, nodes);
        const followed = followPath(expression, context);
        if (followed === undefined) return;
        const known = new Map(names.slice(0, 1).map((id) => [id, context.node(id)]));
        const evaluated: unknown = environment.parse(expression)({ input, run: context.run, nodes: known });
        expect(fromCel(evaluated)).toEqual(followed);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['input.a.b', 'nodes.x.output.y', 'run.workflow'])('does so for %s', (expression) => {
    const context = contextOf({ a: { b: 1 } }, { x: { output: { y: [1, 'two', null] } } });
    expect(followPath(expression, context)).toEqual(evaluateExpression(expression, context));
    expect(followPath(expression, context)).toBeDefined();
  });

  it.each([
    'input',
    'input.a[0]',
    'input.a + 1',
    'input.a.size()',
    'input.missing',
    'other.a',
    'input.in',
    'input.constructor',
  ])('leaves %s to CEL', (expression) => {
    expect(followPath(expression, contextOf({ a: [1] }, {}))).toBeUndefined();
  });
});
