import type { Json, JsonObject } from '../../domain/json.ts';
import type { Mapping } from '../../domain/runs/definition.ts';
import { type FieldKind, type NodeType, nodeTypeRow } from '../../domain/runs/node-types.ts';
import { celSource } from './cel.ts';
import { celPath, handlebarsPath, pathOf } from './reference.ts';

/** A config with its references and expressions as text; what is not of the node table stays, for validation to name. */
export function printConfig(type: NodeType, config: Readonly<Record<string, unknown>>): JsonObject {
  const fields = nodeTypeRow(type).config;
  const entries = Object.entries(config).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, printField(fields[name]?.kind, value)]));
}

function printField(kind: FieldKind | undefined, value: unknown): Json {
  switch (kind) {
    case 'template':
    case 'prompt':
      return printTemplate(value);
    case 'templates':
      return mapValues(value, printTemplate);
    case 'cases':
      return Array.isArray(value) ? value.map(printCase) : (value as Json);
    case 'literal':
    case undefined:
      return value as Json;
    default:
      return printMapping(value);
  }
}

function printCase(value: unknown): Json {
  if (typeof value !== 'object' || value === null || !('when' in value)) return value as Json;
  return { ...value, when: printMapping(value.when) };
}

export function printMapping(value: unknown): Mapping {
  const path = pathOf(value);
  if (path) return celPath(path);
  const source = celSource(value);
  if (source !== undefined) return source;
  return typeof value === 'object' && value !== null ? mapValues(value, printMapping) : (value as Mapping);
}

function printTemplate(value: unknown): Json {
  const path = pathOf(value);
  return path ? `{{${handlebarsPath(path)}}}` : (value as Json);
}

function mapValues<Value>(value: unknown, print: (inner: unknown) => Value): { [key: string]: Value } {
  return Object.fromEntries(Object.entries(value as object).map(([key, inner]) => [key, print(inner)]));
}
