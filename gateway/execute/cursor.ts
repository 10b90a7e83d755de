import { isJsonObject, type JsonObject, ownValue } from './json-value.ts';

/** A place in the response, and all the objects that are there. */
export type Cursor = { path: readonly string[]; objects: readonly JsonObject[]; root: JsonObject };

export type ObjectPath = readonly (string | number)[];

export function moveCursor(cursor: Cursor, path: readonly string[]): Cursor {
  const objects: JsonObject[] = [];
  for (const object of cursor.objects) collectObjects(object, path, 0, objects);
  return { path: [...cursor.path, ...path], objects, root: cursor.root };
}

function collectObjects(value: unknown, path: readonly string[], at: number, found: JsonObject[]): void {
  if (Array.isArray(value)) {
    const next = path[at] === '@' ? at + 1 : at;
    if (next === at && at < path.length) return;
    for (const item of value) collectObjects(item, path, next, found);
  } else if (isJsonObject(value)) {
    const name = path[at];
    if (name === undefined) found.push(value);
    else if (name !== '@') collectObjects(ownValue(value, name), path, at + 1, found);
  }
}

/** The paths of a cursor's objects, in their order; made only when an error needs them. */
export function objectPaths({ path, root }: Cursor): ObjectPath[] {
  const paths: ObjectPath[] = [];
  collectPaths(root, path, 0, [], paths);
  return paths;
}

function collectPaths(
  value: unknown,
  path: readonly string[],
  at: number,
  here: (string | number)[],
  found: ObjectPath[],
): void {
  if (Array.isArray(value)) {
    const next = path[at] === '@' ? at + 1 : at;
    if (next === at && at < path.length) return;
    for (const [index, item] of value.entries()) collectPaths(item, path, next, [...here, index], found);
  } else if (isJsonObject(value)) {
    const name = path[at];
    if (name === undefined) found.push(here);
    else if (name !== '@') collectPaths(ownValue(value, name), path, at + 1, [...here, name], found);
  }
}
