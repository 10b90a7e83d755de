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
  type ValueNode,
  valueFromASTUntyped,
  type VariableDefinitionNode,
  visit,
} from 'graphql';
import type { PreparedOperation } from '../execute/prepare-operation.ts';

const AFTER = 'weft_after';
const CURSOR = 'weft_cursor';
const NOWHERE = 'null';

/** A subscription as it is sent to its subgraph. */
export type UpstreamOperation = {
  query: string;
  /** Null where its field has no `after`: a lost link then means to begin anew. */
  resume: {
    /** Where the caller wants to begin, as JSON. */
    from: (variables: Readonly<Record<string, unknown>>) => string;
    /** The caller's variables without the one that says where to begin. */
    others: (variables: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
    /** What begins it behind a place. */
    behind: (cursor: string | null) => Readonly<Record<string, unknown>>;
    /** The place of an event, as JSON. */
    cursorOf: (data: Readonly<Record<string, unknown>>) => string | null;
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
  const begin = beginning(operation.variableDefinitions ?? [], given, place.standard);
  const isOwn = given?.kind === Kind.VARIABLE && !variablesIn(withoutAfter(field)).has(given.name.value);
  const named = isOwn ? given.name.value : '';
  const responseName = (field.alias ?? field.name).value;
  return {
    query: print({ ...document, definitions: [withPlace(operation, field, place), ...document.definitions.slice(1)] }),
    resume: {
      from: (variables) => JSON.stringify(begin(variables) ?? null),
      others(variables) {
        const { [named]: _place, ...others } = variables;
        return others;
      },
      behind: (cursor) => (cursor === null || cursor === NOWHERE ? {} : { [AFTER]: JSON.parse(cursor) as unknown }),
      cursorOf(data) {
        const cursor = (data[responseName] as Record<string, unknown> | null | undefined)?.[CURSOR];
        return cursor == null ? null : JSON.stringify(cursor);
      },
    },
  };
}

/** The first that is given: the caller's value, the default of its variable, the default of the argument. */
function beginning(
  definitions: readonly VariableDefinitionNode[],
  given: ValueNode | undefined,
  standard: unknown,
): (variables: Readonly<Record<string, unknown>>) => unknown {
  if (given === undefined) return () => standard;
  if (given.kind !== Kind.VARIABLE) return () => valueFromASTUntyped(given);
  const name = given.name.value;
  const written = definitions.find(({ variable }) => variable.name.value === name)?.defaultValue;
  const otherwise = written === undefined ? standard : valueFromASTUntyped(written);
  return (variables) => (Object.hasOwn(variables, name) ? variables[name] : otherwise);
}

type Place = { type: string; cursor: string; standard: unknown };

function placeOf(schema: GraphQLSchema, fieldName: string): Place | null {
  const field = schema.getSubscriptionType()?.getFields()[fieldName];
  const after = field?.args.find(({ name }) => name === 'after');
  const event = getNamedType(field?.type);
  if (after === undefined || !isObjectType(event)) return null;
  const cursor = ['cursor', 'id'].find((name) => event.getFields()[name] !== undefined);
  return cursor === undefined ? null : { type: String(after.type), cursor, standard: after.defaultValue };
}

function withPlace(operation: OperationDefinitionNode, field: FieldNode, { type, cursor }: Place) {
  const name = (value: string) => ({ kind: Kind.NAME, value }) as const;
  const variable = { kind: Kind.VARIABLE, name: name(AFTER) } as const;
  const used = variablesIn(withoutAfter(field));
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
          arguments: [
            ...(withoutAfter(field).arguments ?? []),
            { kind: Kind.ARGUMENT, name: name('after'), value: variable },
          ],
          selectionSet: {
            kind: Kind.SELECTION_SET,
            selections: [...(field.selectionSet?.selections ?? []), selected],
          },
        },
      ],
    },
  } as OperationDefinitionNode;
}

const withoutAfter = (field: FieldNode): FieldNode => ({
  ...field,
  arguments: (field.arguments ?? []).filter(({ name }) => name.value !== 'after'),
});

function variablesIn(node: FieldNode): ReadonlySet<string> {
  const names = new Set<string>();
  visit(node, { Variable: ({ name }) => void names.add(name.value) });
  return names;
}
