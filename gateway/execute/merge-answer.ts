import { isJsonObject, type JsonObject, ownValue, setOwn } from './json-value.ts';

/** Puts what a fetch brought into the object that it was fetched for. */
export function mergeAnswer(target: JsonObject, source: JsonObject): void {
  for (const name of Object.keys(source)) {
    const value = source[name];
    if (value === undefined) continue;
    const before = ownValue(target, name);
    if (typeof value !== 'object' || value === null || before === undefined) setOwn(target, name, value);
    else if (isJsonObject(value)) mergeObject(target, name, before, value);
    else mergeList(target, name, before, value as unknown[]);
  }
}

function mergeObject(target: JsonObject, name: string, before: unknown, value: JsonObject): void {
  if (isJsonObject(before)) mergeAnswer(before, value);
  else setOwn(target, name, value);
}

function mergeList(target: JsonObject, name: string, before: unknown, value: unknown[]): void {
  if (!Array.isArray(before) || before.length !== value.length) return setOwn(target, name, value);
  if (!value.some(isJsonObject)) return setOwn(target, name, value);
  for (const [index, item] of value.entries()) {
    const existing: unknown = before[index];
    if (isJsonObject(existing) && isJsonObject(item)) mergeAnswer(existing, item);
    else before[index] = item;
  }
}
