import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { INVALID_DEFINITIONS, transform } from '../../tests/invalid-definitions.ts';
import { randomRun } from '../../tests/random-definition.ts';
import type { ProblemCode } from './definition.ts';
import { definitionJsonSchema } from './definition-schema.ts';
import { NODE_TYPES } from './node-types.ts';

const matches = new Ajv2020({ allowUnionTypes: true }).compile(definitionJsonSchema());
/** Of these a schema knows nothing: they are about the graph, expressions, or the size of the whole. */
const BEYOND_SCHEMA = new Set<ProblemCode>([
  'NODE_ID_DUPLICATE',
  'EDGE_TARGET_UNKNOWN',
  'EDGE_PORT_UNKNOWN',
  'EDGE_DUPLICATE',
  'CYCLE',
  'NODE_UNREACHABLE',
  'EXPRESSION_INVALID',
  'TEMPLATE_INVALID',
  'REFERENCE_UNKNOWN',
  'REFERENCE_NOT_BEFORE',
]);
const BEYOND_SCHEMA_LIMITS = [
  'a path that is too long',
  'too many targets of a port',
  'a first wait longer than the longest',
];

describe('the JSON Schema of definitions', () => {
  it('has a case for every node type', () => {
    for (const type of Object.keys(NODE_TYPES))
      expect(JSON.stringify(definitionJsonSchema())).toContain(`"const":"${type}"`);
  });

  it('accepts every definition without problems', () => {
    fc.assert(
      fc.property(randomRun(), ({ definition }) => {
        expect([matches(definition), matches.errors]).toEqual([true, null]);
      }),
    );
  });

  const shapes = INVALID_DEFINITIONS.filter(
    ([title, , { code }]) => !BEYOND_SCHEMA.has(code) && !BEYOND_SCHEMA_LIMITS.some((limit) => title.startsWith(limit)),
  );
  it.each(shapes.map(([title, changes]) => [title, changes] as const))('refuses %s', (_title, changes) => {
    const definition: unknown = JSON.parse(
      JSON.stringify({ name: 'sample', nodes: [transform('a')], edges: [], ...changes }),
    );
    expect(matches(definition)).toBe(false);
  });
});
