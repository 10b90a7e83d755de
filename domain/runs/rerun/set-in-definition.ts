import { AppError } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import type { WorkflowDefinition } from '../definition.ts';

/**
 * A definition with other values at some places, each named by its node and the fields from there, such as
 * `classify.config.prompt`. A null takes the field away.
 * @throws INPUT_INVALID
 */
export function setInDefinition(definition: WorkflowDefinition, changes: JsonObject): WorkflowDefinition {
  const changed = JSON.parse(JSON.stringify(definition)) as WorkflowDefinition;
  for (const [path, value] of Object.entries(changes)) {
    const [id = '', ...fields] = path.split('.');
    const node = changed.nodes.find((one) => one.id === id);
    if (node === undefined) throw refused(path, `there is no node ${id}`);
    if (fields.length === 0 || fields[0] === 'id')
      throw refused(path, 'it must name a field, such as node.config.prompt');
    setAt(node, fields, value, path);
  }
  return changed;
}

function setAt(object: JsonObject, [field = '', ...rest]: readonly string[], value: Json, path: string): void {
  if (['__proto__', 'constructor', 'prototype'].includes(field)) throw refused(path, `${field} is no field`);
  if (rest.length === 0) {
    if (value === null) delete object[field];
    else object[field] = value;
    return;
  }
  const inner = object[field] ?? {};
  if (!isJsonObject(inner)) throw refused(path, `${field} has no fields`);
  object[field] = inner;
  setAt(inner, rest, value, path);
}

function refused(path: string, detail: string): AppError {
  const message = `${path}: ${detail}`;
  return new AppError('INPUT_INVALID', { detail: message, paths: [{ path: `/set/${path}`, message: detail }] });
}
