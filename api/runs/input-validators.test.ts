import { describe, expect, it } from '@jest/globals';
import { definitionHash } from '../../domain/identifiers.ts';
import type { JsonSchema } from '../../domain/runs/definition.ts';
import { createInputValidators, inputSchemaProblems } from './input-validators.ts';

describe('an input validator', () => {
  const schema: JsonSchema = {
    type: 'object',
    required: ['title', 'a/b'],
    additionalProperties: false,
    properties: {
      title: { type: 'string', minLength: 1 },
      'a/b': { type: 'integer' },
      mail: { type: 'string', format: 'email' },
      tags: { type: 'array', prefixItems: [{ const: 'first' }] },
    },
  };
  const check = (input: unknown) => createInputValidators().of(definitionHash('a'), schema)(input);

  it('finds nothing in a valid input', () => {
    expect(check({ title: 'x', 'a/b': 1, mail: 'a@b.example', tags: ['first'] })).toEqual([]);
  });

  it('gives every bad path at once, in JSON Pointers', () => {
    const paths = check({ title: '', mail: 'nowhere', tags: ['second'], surplus: 1 }).map(({ path }) => path);
    expect(paths.sort()).toEqual(['/a~1b', '/mail', '/surplus', '/tags/0', '/title']);
  });

  it('points at the whole input when it is of the wrong type', () => {
    expect(check(null)).toEqual([{ path: '', message: 'must be object' }]);
  });

  it('accepts anything where the definition has no schema, nothing where it is false', () => {
    expect(createInputValidators().of(definitionHash('a'), undefined)({ any: 1 })).toEqual([]);
    expect(createInputValidators().of(definitionHash('a'), false)({})).toHaveLength(1);
  });

  it('is compiled once for a definition while it is in use', () => {
    const validators = createInputValidators(2);
    const first = validators.of(definitionHash('a'), schema);
    validators.of(definitionHash('b'), true);
    expect(validators.of(definitionHash('a'), schema)).toBe(first);
    validators.of(definitionHash('c'), true);
    expect(validators.of(definitionHash('a'), schema)).toBe(first);
    validators.of(definitionHash('d'), true);
    validators.of(definitionHash('e'), true);
    expect(validators.of(definitionHash('a'), schema)).not.toBe(first);
  });
});

describe('inputSchemaProblems', () => {
  it('finds nothing in a sound schema, a boolean one or none', () => {
    for (const schema of [
      undefined,
      true,
      false,
      {},
      { type: 'object', properties: { a: { $ref: '#/$defs/b' } }, $defs: { b: {} } },
    ]) {
      expect(inputSchemaProblems(schema)).toEqual([]);
    }
  });

  it('places each problem in the definition', () => {
    const problems = inputSchemaProblems({ properties: { a: { type: 'strin' }, b: { minLength: -1 } } });
    expect(problems.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/input/properties/a/type', '/input/properties/b/minLength']),
    );
    expect(problems.every(({ code }) => code === 'INPUT_SCHEMA_INVALID')).toBe(true);
  });

  it('reports references that lead nowhere, and never follows them outside', () => {
    for (const $ref of ['#/$defs/none', 'https://schemas.example/person.json']) {
      expect(inputSchemaProblems({ $ref })).toEqual([
        expect.objectContaining({
          code: 'INPUT_SCHEMA_INVALID',
          path: '/input',
          message: expect.stringContaining($ref),
        }),
      ]);
    }
  });
});
