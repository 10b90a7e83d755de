import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkExpression } from './check-expression.ts';

const messages = (expression: string) => checkExpression(expression).problems.map((problem) => problem.message);

describe('checkExpression', () => {
  it('finds nothing wrong with sound expressions', () => {
    for (const expression of [
      'input.a + 1',
      'nodes.a.output.words > 1500 && has(input.reviewer)',
      'nodes.a.output.concepts.filter(c, c.relevance > 0.5).map(c, c.name).filter(n, n != "").map(n, n.upperAscii())',
      'input.?a.orValue([])',
      'timestamp(input.at).getFullYear()',
    ]) {
      expect(messages(expression)).toEqual([]);
    }
  });

  it('places problems by line and column', () => {
    expect(checkExpression('1 +\n  * 2').problems).toMatchObject([{ line: 2, column: 3 }]);
    expect(checkExpression('input.a == 1 && wrong.b').problems).toMatchObject([
      { message: expect.stringContaining('wrong'), line: 1, column: 17 },
    ]);
    expect(checkExpression('').problems).toHaveLength(1);
  });

  it('reports every node that is read, with its field and place', () => {
    expect(checkExpression('[nodes.a.output.x, nodes["b"].status, nodes.c, nodes.?d.output]').nodeReferences).toEqual([
      { nodeId: 'a', field: 'output', line: 1, column: 2 },
      { nodeId: 'b', field: 'status', line: 1, column: 20 },
      { nodeId: 'c', field: null, line: 1, column: 39 },
      { nodeId: 'd', field: 'output', line: 1, column: 48 },
    ]);
  });

  it('refuses nodes that are not named', () => {
    expect(messages('nodes[input.which].output')).toEqual([expect.stringContaining('nodes.<id>.output')]);
    expect(messages('nodes')).toHaveLength(1);
    expect(messages('nodes.map(n, n)')).toHaveLength(1);
  });

  it('refuses what is not total, not bounded, or not the same everywhere', () => {
    for (const [expression, reason] of [
      ['input.a.matches("(a+)+b")', 'matches() is not available'],
      ['cel.bind(x, input.a, x + x)', 'bind() is not available'],
      ['bytes("a") == bytes("b")', 'bytes() is not available'],
      ['b"abc"', 'bytes are not available'],
      ['timestamp(input.at).getHours("Europe/Berlin")', 'no time zone'],
      ['timestamp(input.at).getDayOfYear()', 'time zone'],
      ['weft_sized(1)', 'weft_sized'],
    ] as const) {
      expect(messages(expression).join()).toContain(reason);
    }
  });

  it('bounds nesting of comprehensions, but not chains of them', () => {
    const nested = (depth: number): string => (depth === 0 ? '1' : `input.l.map(x${depth}, ${nested(depth - 1)})`);
    expect(messages(nested(3))).toEqual([]);
    expect(messages(nested(4))).toEqual(['comprehensions are nested deeper than 3']);
    expect(messages(`input.l${'.map(x, x)'.repeat(10)}`)).toEqual([]);
  });

  it('bounds length, depth and number of parts', () => {
    expect(messages(`"${'a'.repeat(10_000)}"`)).toEqual(['longer than 10000 characters']);
    expect(messages(Array(150).fill('1').join(' + '))).toEqual(['nested deeper than 100']);
    expect(messages(`${'!'.repeat(9_000)}true`)).toEqual(['nested deeper than 100']);
    expect(messages(`[${Array(1_500).fill('1').join(',')}]`)).toHaveLength(1);
  });

  it('answers without throwing whatever text it is given', () => {
    const token = fc.constantFrom(
      'input',
      'nodes',
      '.',
      '.a',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '+',
      '==',
      '?',
      ':',
      ',',
      '1',
      '1.5',
      'b"',
      ' ',
      'map(x, x)',
      'has(',
      '\\',
      '\n',
      '//',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(token, { maxLength: 30 }).map((tokens) => tokens.join('')),
    );
    fc.assert(
      fc.property(text, (expression) => {
        for (const { line, column } of checkExpression(expression).problems) {
          expect(line).toBeGreaterThan(0);
          expect(column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
