import {
  type DocumentNode,
  getNullableType,
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isListType,
  isSpecifiedScalarType,
  Kind,
  type OperationDefinitionNode,
  parseType,
  TypeInfo,
  type ValueNode,
  type VariableDefinitionNode,
  visit,
  visitWithTypeInfo,
} from 'graphql';

export type Normalised = {
  document: DocumentNode;
  /** Values of the variables that took the literals' places. */
  literals: Readonly<Record<string, unknown>>;
};

/** Puts variables in the place of literal arguments, so that documents that differ in these alone have one plan. */
export function normaliseLiterals(schema: GraphQLSchema, document: DocumentNode): Normalised {
  const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  const [operation] = operations;
  if (operation === undefined || operations.length > 1) return { document, literals: {} };
  const found = new Map<string, { name: string; definition: VariableDefinitionNode; value: unknown }>();
  const prefix = freePrefix(operation);
  const typeInfo = new TypeInfo(schema);
  const replaced = visit(
    document,
    visitWithTypeInfo(typeInfo, {
      Directive: () => false,
      VariableDefinition: () => false,
      Field: ({ name }) => (name.value.startsWith('__') ? false : undefined),
      Argument({ value, ...argument }) {
        const type = typeInfo.getArgument()?.type;
        const literal = type === undefined || value.kind === Kind.NULL ? null : literalValue(value, type);
        if (literal === null) return false;
        // Equal literals of one type share a variable: two selections of a field would not merge otherwise.
        const key = `${String(type)} ${JSON.stringify(literal.value)}`;
        let variable = found.get(key);
        if (variable === undefined) {
          variable = newVariable(`${prefix}${found.size}`, String(type), literal.value);
          found.set(key, variable);
        }
        return { ...argument, value: variable.definition.variable };
      },
    }),
  );
  if (found.size === 0) return { document, literals: {} };
  return {
    document: withVariables(
      replaced,
      [...found.values()].map(({ definition }) => definition),
    ),
    literals: Object.fromEntries([...found.values()].map(({ name, value }) => [name, value])),
  };
}

function newVariable(name: string, type: string, value: unknown) {
  const variable = { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: name } } as const;
  const definition: VariableDefinitionNode = { kind: Kind.VARIABLE_DEFINITION, variable, type: parseType(type) };
  return { name, definition, value };
}

function withVariables(document: DocumentNode, added: readonly VariableDefinitionNode[]): DocumentNode {
  return {
    ...document,
    definitions: document.definitions.map((one) =>
      one.kind === Kind.OPERATION_DEFINITION
        ? { ...one, variableDefinitions: [...(one.variableDefinitions ?? []), ...added] }
        : one,
    ),
  };
}

function freePrefix({ variableDefinitions = [] }: OperationDefinitionNode): string {
  let prefix = 'literal_';
  while (variableDefinitions.some(({ variable }) => variable.name.value.startsWith(prefix))) prefix += '_';
  return prefix;
}

/** The value as JSON, or null for what JSON cannot say exactly or what holds a variable. */
function literalValue(node: ValueNode, type: GraphQLInputType): { value: unknown } | null {
  if (node.kind === Kind.VARIABLE) return null;
  if (node.kind === Kind.NULL) return { value: null };
  const inner = getNullableType(type);
  if (isListType(inner)) {
    return node.kind === Kind.LIST ? listValue(node.values, inner.ofType) : literalValue(node, inner.ofType);
  }
  if (isEnumType(inner)) return node.kind === Kind.ENUM ? { value: node.value } : null;
  if (isInputObjectType(inner)) {
    if (node.kind !== Kind.OBJECT) return null;
    return objectValue(node, (name) => inner.getFields()[name]?.type);
  }
  if (isSpecifiedScalarType(inner)) return scalarValue(node, inner.name === 'ID');
  if (node.kind === Kind.LIST) return listValue(node.values, inner);
  if (node.kind === Kind.OBJECT) return objectValue(node, () => inner);
  return scalarValue(node, false);
}

function scalarValue(node: ValueNode, isId: boolean): { value: unknown } | null {
  if (node.kind === Kind.STRING || node.kind === Kind.BOOLEAN) return { value: node.value };
  if (node.kind !== Kind.INT && node.kind !== Kind.FLOAT) return null;
  if (isId) return { value: node.value };
  return String(Number(node.value)) === node.value ? { value: Number(node.value) } : null;
}

function listValue(nodes: readonly ValueNode[], type: GraphQLInputType): { value: unknown } | null {
  const values = nodes.map((node) => literalValue(node, type));
  return values.includes(null) ? null : { value: values.map((one) => one?.value) };
}

function objectValue(
  { fields }: Extract<ValueNode, { kind: Kind.OBJECT }>,
  typeOf: (name: string) => GraphQLInputType | undefined,
): { value: unknown } | null {
  const entries: [string, unknown][] = [];
  for (const { name, value } of fields) {
    const type = typeOf(name.value);
    const literal = type === undefined ? null : literalValue(value, type);
    if (literal === null) return null;
    entries.push([name.value, literal.value]);
  }
  return { value: Object.fromEntries(entries) };
}
