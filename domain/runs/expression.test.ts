import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AppError } from '../errors.ts';
import type { Json } from '../json.ts';
import { type ExpressionContext, evaluateExpression } from './expression.ts';

function evaluate(expression: string, input: unknown = {}, nodes: Record<string, Json> = {}): Json {
  const context: ExpressionContext = {
    input: input as Json,
    run: { workflow: 'test' },
    vars: {},
    bindings: {},
    node: (id) => nodes[id] ?? null,
  };
  return evaluateExpression(expression, context);
}

/** The detail of the failure; undefined when there is none. */
function failureOf(expression: string, input: unknown = {}): unknown {
  try {
    evaluate(expression, input);
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: 'EXPRESSION_FAILED' });
    return (error as AppError).fields['detail'];
  }
}

const parse = (text: string): unknown => JSON.parse(text);

describe('an expression', () => {
  it('reads input, run and the nodes it names', () => {
    expect(evaluate('input.title + "!"', { title: 'Opticks' })).toBe('Opticks!');
    expect(evaluate('run.workflow')).toBe('test');
    expect(
      evaluate('nodes.a.output.words + nodes["b"].output', {}, { a: { output: { words: 3 } }, b: { output: 4 } }),
    ).toBe(7);
    expect(evaluate('has(nodes.a.output.x) ? 1 : 2', {}, { a: { output: {} } })).toBe(2);
  });

  it('mixes the doubles of JSON with the integers of CEL', () => {
    const input = { n: 5, half: 0.5 };
    expect(
      evaluate('[input.n + 1, 1 + input.n, input.n - 1, input.n * 2, input.n / 2, input.n % 2, 7 % input.n]', input),
    ).toEqual([6, 6, 4, 10, 2.5, 1, 2]);
    expect(evaluate('[input.n > 4, input.n == 5, 5 == input.n, input.n in [4, 5], input.half < 1]', input)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
    expect(evaluate('[7 / 2, 7 % 2, 7.0 / 2.0, size("abc") * input.half, -input.n]', input)).toEqual([
      3, 1, 3.5, 1.5, -5,
    ]);
    expect(evaluate('["a", "b"][1] + input.list[input.i]', { list: ['x', 'y'], i: 1 })).toBe('by');
  });

  it('gives what JSON can hold', () => {
    expect(
      evaluate(
        '{"a": [1, "b", 2.5, true, null], "t": timestamp("2024-05-01T12:00:00Z"), "d": duration("90s"), "u": 7u}',
      ),
    ).toEqual({
      a: [1, 'b', 2.5, true, null],
      t: '2024-05-01T12:00:00.000Z',
      d: 90_000,
      u: 7,
    });
  });

  it('refuses what JSON cannot hold', () => {
    expect(failureOf('0.0 / 0.0')).toMatch(/NaN/);
    expect(failureOf('input.n / 0', { n: 1 })).toMatch(/Infinity/);
    expect(failureOf('9007199254740993')).toMatch(/2\^53/);
    expect(failureOf('b"abc"')).toMatch(/bytes/);
    expect(failureOf('bytes("abc")')).toMatch(/bytes/);
    expect(failureOf('1 / 0')).toMatch(/division by zero/);
    expect(failureOf('9223372036854775807 + 1')).toMatch(/overflow/);
  });

  it('knows optional values', () => {
    expect(evaluate('input.?a.?b.orValue("none")')).toBe('none');
    expect(evaluate('input.?a.?b.orValue("none")', { a: { b: 'some' } })).toBe('some');
    expect(evaluate('input[?"a"]')).toBeNull();
    expect(evaluate('has(input.a) && input.a.b == 1', { a: { b: 1 } })).toBe(true);
    expect(failureOf('input.a.b')).toMatch(/No such key: a/);
  });

  it('never reaches prototypes', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(failureOf(`input.${name}`)).toMatch(/No such key/);
      expect(failureOf(`input["${name}"]`)).toMatch(/No such key/);
      expect(evaluate(`has(input.${name})`)).toBe(false);
      expect(evaluate(`"${name}" in input`)).toBe(false);
    }
    expect(failureOf('[].constructor')).toBeDefined();
    expect(failureOf('"".constructor')).toBeDefined();
    expect(failureOf('input.constructor("return 1")()')).toBeDefined();
  });

  it('reads a key named __proto__ as data, and writes none', () => {
    expect(evaluate('input.__proto__', parse('{"__proto__": 3}'))).toBe(3);
    expect(evaluate('input', parse('{"__proto__": {"polluted": 1}}'))).toEqual(parse('{"__proto__": {"polluted": 1}}'));
    evaluate('{"__proto__": {"polluted": 1}}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('reads nodes named like members of prototypes', () => {
    expect(
      evaluate(
        'nodes.constructor.output + nodes.toString.output',
        {},
        { constructor: { output: 1 }, toString: { output: 2 } },
      ),
    ).toBe(3);
  });

  it('keeps its literals exactly', () => {
    const text = 'quote " backslash \\ newline \n return \r tab \t nul \0 é 漢 😀';
    expect(evaluate(JSON.stringify(text).replace('\\u0000', '\0'))).toBe(text);
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const literal = /[.e]/.test(String(value)) ? String(value) : `${value}.0`;
        expect(evaluate(literal)).toBe(Object.is(value, -0) ? 0 : value);
      }),
    );
  });

  it('means the same with parentheses, comments and macros as without', () => {
    expect(evaluate('(1 + 2) * (3 + 4)')).toBe(21);
    expect(evaluate('((input.a)) + (input.b)', { a: 1, b: 2 })).toBe(3);
    expect(evaluate('input.l.map(x, (x + 1) * (x)).filter(y, (y) > (2)) // done', { l: [1, 2, 3] })).toEqual([6, 12]);
    expect(evaluate('input.l.map(x, x > 1, x * 10)', { l: [1, 2, 3] })).toEqual([20, 30]);
    expect(
      evaluate('input.l.exists_one(x, x == 2) && input.l.all(x, x > 0) && !input.l.exists(x, x > 3)', { l: [1, 2, 3] }),
    ).toBe(true);
    expect(evaluate('input.m.map(key, key + "=" + input.m[key]).join("&")', { m: { a: 'x', b: 'y' } })).toBe('a=x&b=y');
    expect(evaluate('true ? "a" : "b"') === 'a' && evaluate('-(-3)') === 3 && evaluate('!(!true)')).toBe(true);
  });
});

/** Each would take minutes or gigabytes if it were not refused; jest ends the worker of a test that hangs. */
describe('the cost of an expression', () => {
  const list = (length: number) => Array.from({ length }, (_, index) => index);
  const steps = /more than 100000 steps/;
  const tooBig = /more than (32000000 characters|100000 steps)/;

  it('allows 100,000 iterations, and no more', () => {
    expect(evaluate('input.l.all(x, x >= 0)', { l: list(100_000) })).toBe(true);
    expect(failureOf('input.l.all(x, x >= 0)', { l: list(100_001) })).toMatch(steps);
  });

  it('counts iterations inside of iterations, also where a quantifier swallows the failure', () => {
    const input = { l: list(3_000) };
    expect(failureOf('input.l.map(x, input.l.map(y, x))', input)).toMatch(steps);
    expect(failureOf('input.l.exists(x, input.l.exists(y, input.l.exists(z, z < 0)))', input)).toMatch(steps);
    expect(failureOf('input.l.exists(x, x == 2999 || input.l.all(y, y < 0))', input)).toMatch(steps);
  });

  it('fails when the budget ran out, though the answer was found', () => {
    const found = list(3_000).map((index) => (index === 2_999 ? { done: true } : {}));
    expect(failureOf('input.l.exists(x, has(x.done) || input.l.all(y, has(y.done)))', { l: found })).toMatch(steps);
  });

  it('counts long bodies as several steps', () => {
    const body = Array(60).fill('x').join(' + ');
    expect(failureOf(`input.l.map(x, ${body})`, { l: list(50_000) })).toMatch(steps);
  });

  it('bounds doubling of texts, lists and trees', () => {
    expect(failureOf(`["${'a'.repeat(100)}"]${'.map(a, a + a + a + a)'.repeat(15)}`)).toMatch(tooBig);
    expect(failureOf(`[[1]]${'.map(a, a + a + a + a)'.repeat(15)}`)).toMatch(tooBig);
    expect(failureOf(`[1]${'.map(a, [a, a, a, a])'.repeat(40)}`)).toMatch(tooBig);
    expect(failureOf(`[1]${'.map(a, {"x": a, "y": a})'.repeat(40)}`)).toMatch(tooBig);
    expect(failureOf(`[optional.of(1)]${'.map(a, optional.of([a, a, a]))'.repeat(25)}`)).toMatch(tooBig);
  });

  it('makes comparing and searching pay for what they read', () => {
    const big = { text: 'x'.repeat(2_000_000), other: `${'x'.repeat(1_999_999)}y`, l: list(1_000) };
    expect(failureOf('input.l.exists(i, input.text == input.other)', big)).toMatch(steps);
    expect(failureOf('input.l.exists(i, input.text.contains("yy"))', big)).toMatch(steps);
    expect(failureOf('input.l.exists(i, input.text.lowerAscii() == "")', big)).toMatch(steps);
    expect(failureOf('input.l.exists(i, size(input.text) == 0)', big)).toMatch(steps);
    expect(evaluate('input.text.contains("y") || input.other.endsWith("y")', big)).toBe(true);
  });

  it('refuses to search for long texts, which takes the product of both lengths', () => {
    const input = { text: 'a'.repeat(1_000_000), part: `${'a'.repeat(50_000)}b${'a'.repeat(50_000)}` };
    for (const name of ['contains', 'indexOf', 'lastIndexOf', 'split']) {
      expect(failureOf(`input.text.${name}(input.part)`, input)).toMatch(/256 characters/);
    }
    expect(failureOf('duration(input.text)', input)).toMatch(/256 characters/);
  });

  it('passes large data through', () => {
    const document = 'x'.repeat(10_000_000);
    expect(evaluate('input.document', { document })).toBe(document);
    expect(evaluate('{"text": input.document}', { document })).toEqual({ text: document });
  });
});
