export type JsonObject = { [name: string]: unknown };

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Names that every object answers to; only these need an own-property check. */
export const isInherited = (name: string): boolean => name in Object.prototype;

export function ownValue(object: JsonObject, name: string): unknown {
  const value = object[name];
  return value !== undefined && isInherited(name) && !Object.hasOwn(object, name) ? undefined : value;
}

/** Assigns also `__proto__` as the plain name that it is in JSON. */
export function setOwn(object: JsonObject, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
}

export function copyJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyJson);
  const copy: JsonObject = {};
  for (const name of Object.keys(value)) setOwn(copy, name, copyJson((value as JsonObject)[name]));
  return copy;
}
