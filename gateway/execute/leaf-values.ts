import {
  GraphQLBoolean,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLLeafType,
  GraphQLString,
  isEnumType,
} from 'graphql';

const isInteger = (value: unknown): boolean => Number.isInteger(value) && Math.abs(value as number) < 1e21;
const isText = (value: unknown): boolean => typeof value === 'string';

const TESTS: Readonly<Record<string, (value: unknown) => boolean>> = {
  [GraphQLBoolean.name]: (value) => typeof value === 'boolean',
  [GraphQLInt.name]: isInteger,
  [GraphQLFloat.name]: (value) => typeof value === 'number',
  [GraphQLID.name]: (value) => isText(value) || isInteger(value),
  [GraphQLString.name]: isText,
};

/** Whether a subgraph's value is one of the type; scalars of the schema's own may hold anything. */
export function leafTest(type: GraphQLLeafType): (value: unknown) => boolean {
  if (isEnumType(type)) {
    const names = new Set(type.getValues().map(({ name }) => name));
    return (value) => names.has(value as string);
  }
  return TESTS[type.name] ?? (() => true);
}
