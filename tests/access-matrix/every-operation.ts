import {
  type GraphQLInputType,
  type GraphQLSchema,
  type GraphQLOutputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

export type AnyOperation = {
  name: string;
  kind: 'query' | 'mutation';
  /** Arguments that name something by its id. */
  ids: string[];
  document: string;
  variables: Record<string, unknown>;
};

const ID_OF_NOTHING = 'nothing-of-this-name';

/** Every operation of the graph with arguments that are valid in form, generated from its schema. */
export function everyOperation(schema: GraphQLSchema): AnyOperation[] {
  const roots = [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
  ] as const;
  return roots.flatMap(([kind, root]) =>
    Object.values(root?.getFields() ?? {})
      .filter(({ name }) => !name.startsWith('_'))
      .map(({ name, args, type }) => {
        const needed = args.filter(
          (argument) => isNonNullType(argument.type) || getNamedType(argument.type).name === 'ID',
        );
        const declared = needed.map((argument) => `$${argument.name}: ${String(argument.type)}`).join(', ');
        const given = needed.map((argument) => `${argument.name}: $${argument.name}`).join(', ');
        const call = needed.length > 0 ? `${name}(${given})` : name;
        return {
          name,
          kind,
          ids: needed.filter((argument) => getNamedType(argument.type).name === 'ID').map((argument) => argument.name),
          document: `${kind} ${needed.length > 0 ? `(${declared})` : ''} { ${call} ${selection(type)} }`,
          variables: Object.fromEntries(needed.map((argument) => [argument.name, valueFor(argument.type)])),
        };
      }),
  );
}

/** Leaves at the first level that has some: what is asked for decides nothing here. */
function selection(type: GraphQLOutputType, depth = 0): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  if (!isObjectType(named) || depth > 4) return '{ __typename }';
  const fields = Object.values(named.getFields()).filter(({ args }) => args.every((one) => !isNonNullType(one.type)));
  const leaves = fields.filter(({ type: of }) => isLeafType(getNamedType(of))).map(({ name }) => name);
  if (leaves.length > 0) return `{ ${leaves.join(' ')} }`;
  return `{ ${fields.map(({ name, type: of }) => `${name} ${selection(of, depth + 1)}`).join(' ')} }`;
}

function valueFor(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return valueFor(type.ofType);
  if (isListType(type)) return [valueFor(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const needed = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
    return Object.fromEntries(needed.map((field) => [field.name, valueFor(field.type)]));
  }
  const values: Record<string, unknown> = {
    Int: 1,
    Float: 1,
    Boolean: true,
    JSON: {},
    DateTime: '2026-01-01T00:00:00Z',
  };
  return values[type.name] ?? ID_OF_NOTHING;
}
