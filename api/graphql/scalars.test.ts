import { describe, expect, it } from '@jest/globals';
import { parseValue, valueFromAST } from 'graphql';
import { dateTimeScalar, jsonScalar } from './scalars.ts';

describe('JSON', () => {
  it('reads a literal as the same JSON, variables in it included', () => {
    const literal = parseValue(
      '{ text: "a", list: [1, 2.5, true, null], nested: { given: $given, missing: $missing } }',
    );
    expect(valueFromAST(literal, jsonScalar, { given: { deep: 1 } })).toEqual({
      text: 'a',
      list: [1, 2.5, true, null],
      nested: { given: { deep: 1 }, missing: null },
    });
  });

  it('keeps a key named __proto__ a key', () => {
    const value = valueFromAST(parseValue('{ __proto__: { admin: true } }'), jsonScalar) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(value['admin']).toBeUndefined();
  });

  it('refuses words that are no JSON', () => {
    expect(() => jsonScalar.parseLiteral(parseValue('{ a: RED }'))).toThrow(/strings need quotes/);
  });

  it('refuses values nested so deeply that readers would run out of stack', () => {
    let deep: unknown = null;
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    expect(() => jsonScalar.parseValue(deep)).toThrow(/200 levels/);
    expect(() => jsonScalar.parseLiteral(parseValue('['.repeat(300) + ']'.repeat(300)))).toThrow(/200 levels/);
  });
});

describe('DateTime', () => {
  it('is ISO 8601 in UTC', () => {
    expect(dateTimeScalar.serialize(new Date(0))).toBe('1970-01-01T00:00:00.000Z');
    expect(dateTimeScalar.parseValue('1970-01-01T01:00:00+01:00')).toEqual(new Date(0));
    expect(() => dateTimeScalar.parseValue('yesterday')).toThrow(/ISO 8601/);
  });
});
