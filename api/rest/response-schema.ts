import {
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  type SelectionSetNode,
} from 'graphql';
import type { JsonObject } from '../../domain/json.ts';

const SCALARS: Readonly<Record<string, JsonObject>> = {
  ID: { type: 'string' },
  String: { type: 'string' },
  Int: { type: 'integer' },
  Float: { type: 'number' },
  Boolean: { type: 'boolean' },
  DateTime: { type: 'string', format: 'date-time' },
  JSON: {},
};

/** JSON Schema of what the one root field of an operation gives, as selected. */
export function responseSchema(schema: GraphQLSchema, source: string): JsonObject {
  const operation = parse(source).definitions[0] as OperationDefinitionNode;
  const root = (
    operation.operation === OperationTypeNode.QUERY ? schema.getQueryType() : schema.getMutationType()
  ) as GraphQLObjectType;
  const field = operation.selectionSet.selections[0] as FieldNode;
  const type = root.getFields()[field.name.value]?.type as GraphQLOutputType;
  // Null is answered with 404.
  return schemaOf(isNonNullType(type) ? (type.ofType as GraphQLOutputType) : type, field.selectionSet, true);
}

function schemaOf(type: GraphQLOutputType, selected: SelectionSetNode | undefined, present = false): JsonObject {
  if (isNonNullType(type)) return schemaOf(type.ofType as GraphQLOutputType, selected, true);
  const bare = isListType(type)
    ? { type: 'array', items: schemaOf(type.ofType, selected) }
    : namedSchema(type, selected);
  return present ? bare : nullable(bare);
}

function namedSchema(type: GraphQLNamedType, selected: SelectionSetNode | undefined): JsonObject {
  if (isEnumType(type)) return { type: 'string', enum: type.getValues().map(({ name }) => name) };
  if (!isObjectType(type)) return SCALARS[type.name] ?? {};
  const fields = (selected?.selections ?? []).filter((one): one is FieldNode => one.kind === Kind.FIELD);
  const properties = fields.map((field) => {
    const { type: of, description } = type.getFields()[field.name.value] as {
      type: GraphQLOutputType;
      description?: string;
    };
    const schema = schemaOf(of, field.selectionSet);
    return [field.name.value, description ? { ...schema, description } : schema] as const;
  });
  return { type: 'object', properties: Object.fromEntries(properties), required: properties.map(([name]) => name) };
}

function nullable(schema: JsonObject): JsonObject {
  const { type, enum: values } = schema;
  if (typeof type !== 'string') return schema;
  return { ...schema, type: [type, 'null'], ...(Array.isArray(values) ? { enum: [...values, null] } : {}) };
}
