import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import type { Json } from '../../domain/json.ts';

/** Deeper values are refused, so that no recursive reader of them can run out of stack. */
const MAXIMUM_DEPTH = 200;

export const jsonScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => checkDepth(value, 0),
  parseLiteral: (node, variables) => literalValue(node, variables, 0),
});

export const dateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'A moment as ISO 8601 in UTC, such as `2026-11-02T09:30:00.000Z`.',
  serialize: (value) => (value as Date).toISOString(),
  parseValue(value) {
    const date = new Date(typeof value === 'string' ? value : NaN);
    if (Number.isNaN(date.getTime())) throw new GraphQLError('A DateTime is an ISO 8601 string');
    return date;
  },
});

function checkDepth(value: unknown, depth: number): unknown {
  refuseDeep(depth);
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) checkDepth(member, depth + 1);
  }
  return value;
}

function refuseDeep(depth: number): void {
  if (depth > MAXIMUM_DEPTH) throw new GraphQLError(`A JSON value may be ${MAXIMUM_DEPTH} levels deep`);
}

function literalValue(node: ValueNode, variables: Record<string, unknown> | null | undefined, depth: number): Json {
  refuseDeep(depth);
  switch (node.kind) {
    case Kind.STRING:
    case Kind.BOOLEAN:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.LIST:
      return node.values.map((value) => literalValue(value, variables, depth + 1));
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map((field) => [field.name.value, literalValue(field.value, variables, depth + 1)]),
      );
    case Kind.VARIABLE:
      return (variables?.[node.name.value] ?? null) as Json;
    case Kind.NULL:
      return null;
    case Kind.ENUM:
      throw new GraphQLError(`${node.value} is no JSON value; strings need quotes`);
  }
}
