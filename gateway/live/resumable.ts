import {
  type FieldNode,
  getNamedType,
  type GraphQLSchema,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  parse,
  parseType,
  print,
  visit,
} from 'graphql';
import type { PreparedOperation } from '../execute/prepare-operation.ts';

const AFTER = 'weft_after';
const CURSOR = 'weft_cursor';

/** A subscription as it is sent to its subgraph. */
export type UpstreamOperation = {
  query: string;
  /** Null where its field has no `after`: a lost link then means to begin anew. */
  resume: {
    variable: string;
    /** Where the caller wants to begin. */
    from: (variables: Readonly<Record<string, unknown>>) => unknown;
    /** The place of an event. */
    cursorOf: (data: Readonly<Record<string, unknown>>) => unknown;
  } | null;
};

/**
 * Makes a subscription one that goes on behind the last event: its field's `after` becomes a variable, and the event's `cursor`,
 * or its `id` where it has none, is asked for.
 */
export function upstreamOperation({ federation, primary }: PreparedOperation): UpstreamOperation {
  const query = primary?.operation ?? '';
  const document = parse(query, { noLocation: true });
  const operation = document.definitions[0] as OperationDefinitionNode;
  const field = operation.selectionSet.selections[0] as FieldNode;
  const place = placeOf(federation.schema, field.name.value);
  if (place === null) return { query, resume: null };
  const given = field.arguments?.find(({ name }) => name.value === 'after')?.value;
  const responseName = (field.alias ?? field.name).value;
  return {
    query: print({ ...document, definitions: [withPlace(operation, field, place), ...document.definitions.slice(1)] }),
    resume: {
      variable: AFTER,
      from: (variables) => (given?.kind === Kind.VARIABLE ? variables[given.name.value] : undefined),
      cursorOf: (data) => (data[responseName] as Record<string, unknown> | null | undefined)?.[CURSOR],
    },
  };
}

type Place = { type: string; cursor: string };

function placeOf(schema: GraphQLSchema, fieldName: string): Place | null {
  const field = schema.getSubscriptionType()?.getFields()[fieldName];
  const after = field?.args.find(({ name }) => name === 'after');
  const event = getNamedType(field?.type);
  if (after === undefined || !isObjectType(event)) return null;
  const cursor = ['cursor', 'id'].find((name) => event.getFields()[name] !== undefined);
  return cursor === undefined ? null : { type: String(after.type), cursor };
}

function withPlace(operation: OperationDefinitionNode, field: FieldNode, { type, cursor }: Place) {
  const name = (value: string) => ({ kind: Kind.NAME, value }) as const;
  const variable = { kind: Kind.VARIABLE, name: name(AFTER) } as const;
  const others = (field.arguments ?? []).filter((argument) => argument.name.value !== 'after');
  const used = variablesIn({ ...field, arguments: others });
  const declared = (operation.variableDefinitions ?? []).filter((one) => used.has(one.variable.name.value));
  const selected: FieldNode = { kind: Kind.FIELD, alias: name(CURSOR), name: name(cursor) };
  return {
    ...operation,
    variableDefinitions: [...declared, { kind: Kind.VARIABLE_DEFINITION, variable, type: parseType(type) }],
    selectionSet: {
      kind: Kind.SELECTION_SET,
      selections: [
        {
          ...field,
          arguments: [...others, { kind: Kind.ARGUMENT, name: name('after'), value: variable }],
          selectionSet: {
            kind: Kind.SELECTION_SET,
            selections: [...(field.selectionSet?.selections ?? []), selected],
          },
        },
      ],
    },
  } as OperationDefinitionNode;
}

function variablesIn(node: FieldNode): ReadonlySet<string> {
  const names = new Set<string>();
  visit(node, { Variable: ({ name }) => void names.add(name.value) });
  return names;
}
