import {
  type FieldNode,
  getNamedType,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLNamedType,
  isCompositeType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { ObjectPath } from './cursor.ts';
import { isJsonObject, type JsonObject, ownValue } from './json-value.ts';
import type { PreparedOperation } from './prepare-operation.ts';
import type { TypeTest } from './type-conditions.ts';

export type Place = { object: JsonObject; path: ObjectPath };

const FRAGMENT = '... on ';

/** The objects at a path of response names and type conditions, but for those that the caller has been told are null. */
export function placesAt(
  root: JsonObject,
  queryPath: readonly string[],
  told: JsonObject | null,
  isOfType: TypeTest,
): Place[] {
  const places: Place[] = [];
  const visit = (value: unknown, toldHere: unknown, at: number, path: ObjectPath): void => {
    if (toldHere === null) return;
    if (Array.isArray(value)) {
      const list: unknown[] = Array.isArray(toldHere) ? toldHere : [];
      for (const [index, item] of value.entries()) visit(item, list[index], at, [...path, index]);
      return;
    }
    if (!isJsonObject(value)) return;
    const part = queryPath[at];
    if (part === undefined) places.push({ object: value, path });
    else if (part.startsWith(FRAGMENT)) {
      const typename = value['__typename'];
      if (!typename || isOfType(String(typename), part.slice(FRAGMENT.length))) visit(value, toldHere, at + 1, path);
    } else {
      const next = isJsonObject(toldHere) ? ownValue(toldHere, part) : undefined;
      visit(ownValue(value, part), next, at + 1, [...path, part]);
    }
  };
  visit(root, told ?? undefined, 0, []);
  return places;
}

/** The type at a path of an operation. */
export function typeAt(
  { federation: { schema }, operation, fragments }: PreparedOperation,
  queryPath: readonly string[],
): GraphQLCompositeType {
  let type: GraphQLNamedType | null | undefined = schema.getRootType(operation.operation);
  let selectionSets = [operation.selectionSet];
  for (const part of queryPath) {
    if (part.startsWith(FRAGMENT)) {
      type = schema.getType(part.slice(FRAGMENT.length));
      continue;
    }
    const fields: FieldMap = isCompositeType(type) && 'getFields' in type ? type.getFields() : {};
    const nodes = selectionSets
      .flatMap((one) => fieldNodes(one, fragments))
      .filter(({ alias, name }) => (alias ?? name).value === part && fields[name.value] !== undefined);
    type = getNamedType(fields[nodes[0]?.name.value ?? '']?.type);
    selectionSets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
  }
  if (isCompositeType(type)) return type;
  throw new Error(`There is no object at ${queryPath.join('.')}`);
}

type FieldMap = Record<string, GraphQLField<unknown, unknown>>;

function fieldNodes({ selections }: SelectionSetNode, fragments: PreparedOperation['fragments']): FieldNode[] {
  return selections.flatMap((one) => {
    if (one.kind === Kind.FIELD) return [one];
    const inner = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
    return inner === undefined ? [] : fieldNodes(inner.selectionSet, fragments);
  });
}
