import type { QueryPlanSelectionNode } from '@apollo/query-planner';
import { isJsonObject, type JsonObject, ownValue, setOwn } from './json-value.ts';
import { mergeAnswer } from './merge-answer.ts';
import type { TypeTest } from './type-conditions.ts';

/** What a subgraph needs to know of an object to find it, or null where the object lacks a part of it. */
export function representationOf(
  object: unknown,
  selections: readonly QueryPlanSelectionNode[],
  isOfType: TypeTest,
): JsonObject | null {
  if (!isJsonObject(object)) return null;
  const result: JsonObject = {};
  for (const selection of selections) {
    if (selection.kind === 'Field') {
      const name = selection.alias ?? selection.name;
      const value = ownValue(object, name);
      if (value === undefined) return null;
      setOwn(result, name, valueOf(value, selection.selections, isOfType));
    } else if (selection.typeCondition !== undefined && isObjectOfType(object, selection.typeCondition, isOfType)) {
      const part = representationOf(object, selection.selections, isOfType);
      if (part !== null) mergeAnswer(result, part);
    }
  }
  return result;
}

function valueOf(
  value: unknown,
  selections: readonly QueryPlanSelectionNode[] | undefined,
  isOfType: TypeTest,
): unknown {
  if (selections === undefined) return value;
  if (Array.isArray(value)) return value.map((item) => representationOf(item, selections, isOfType));
  return representationOf(value, selections, isOfType);
}

function isObjectOfType(object: JsonObject, condition: string, isOfType: TypeTest): boolean {
  const typename = object['__typename'];
  return typeof typename === 'string' && typename !== '' && isOfType(typename, condition);
}
