import { describe, expect, it } from '@jest/globals';
import { buildSchema, parse, print, specifiedRules, validate } from 'graphql';
import { normaliseLiterals } from './normalise-literals.ts';

const SCHEMA = buildSchema(`
  scalar JSON
  enum Colour { RED }
  input Filter { colour: Colour = RED, ids: [ID!], nested: Filter, count: Int }
  type Query { a(x: Int, y: Int): Int b(filter: Filter!, first: Int! = 5): Int c(any: JSON): Int d(ids: [ID!]): Int self: Query! }
`);
const normalised = (text: string) => {
  const { document, literals } = normaliseLiterals(SCHEMA, parse(text));
  expect(validate(SCHEMA, document, specifiedRules)).toEqual([]);
  return { text: print(document).replace(/\s+/g, ' '), literals };
};

describe('normaliseLiterals', () => {
  it('puts variables in the place of literals', () =>
    expect(normalised('query Q { a(x: 1) b(filter: { colour: RED, ids: [1, "2"], nested: { count: 3 } }) }')).toEqual({
      text: 'query Q($literal_0: Int, $literal_1: Filter!) { a(x: $literal_0) b(filter: $literal_1) }',
      literals: { literal_0: 1, literal_1: { colour: 'RED', ids: ['1', '2'], nested: { count: 3 } } },
    }));

  it('gives equal literals of one type the same variable, so that equal fields stay equal', () =>
    expect(normalised('{ a(x: 1) ...F } fragment F on Query { a(x: 1) self { a(y: 1, x: 2) } }')).toEqual({
      text: 'query ($literal_0: Int, $literal_1: Int) { a(x: $literal_0) ...F } fragment F on Query { a(x: $literal_0) self { a(y: $literal_0, x: $literal_1) } }',
      literals: { literal_0: 1, literal_1: 2 },
    }));

  it('leaves conditions, introspection, nulls and what holds a variable', () => {
    const query = `query ($n: Int = 4, $literal_: Boolean!) {
      a(x: null) @skip(if: true) ... @include(if: $literal_) { b(filter: { count: $n }) } __type(name: "Query") { name }
    }`;
    expect(normalised(query)).toEqual({ text: print(parse(query)).replace(/\s+/g, ' '), literals: {} });
  });

  it('leaves numbers that JSON would change, and takes free values of own scalars', () => {
    expect(normalised('{ c(any: 12345678901234567890) }').literals).toEqual({});
    expect(normalised('{ c(any: 1.0) }').literals).toEqual({});
    expect(normalised('{ c(any: RED) }').literals).toEqual({});
    expect(normalised('{ c(any: { a: [1, "x", true, null, 2.5] }) }').literals).toEqual({
      literal_0: { a: [1, 'x', true, null, 2.5] },
    });
    expect(normalised('{ d(ids: 7) }').literals).toEqual({ literal_0: '7' });
  });
});
