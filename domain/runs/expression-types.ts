import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { JsonSchema } from './definition.ts';

/** What is known of a value before the run; `dyn` is nothing. Types may contain themselves, as schemas may. */
export type ValueType =
  | { readonly kind: 'dyn' | 'null' | 'bool' | 'number' | 'string' | 'timestamp' | 'duration' }
  | { readonly kind: 'list'; readonly element: ValueType }
  | {
      readonly kind: 'object';
      readonly fields: ReadonlyMap<string, ValueType>;
      /** Type of fields that have no name here; null where there are none. */
      readonly rest: ValueType | null;
    }
  | { readonly kind: 'optional'; readonly of: ValueType }
  | { readonly kind: 'union'; readonly members: readonly ValueType[] };
export type TypeKind = ValueType['kind'];

export const DYN: ValueType = { kind: 'dyn' };
export const NULL: ValueType = { kind: 'null' };
export const BOOL: ValueType = { kind: 'bool' };
export const NUMBER: ValueType = { kind: 'number' };
export const STRING: ValueType = { kind: 'string' };
const MOST_MEMBERS = 12;

export const listOf = (element: ValueType): ValueType => ({ kind: 'list', element });
export const nullable = (type: ValueType): ValueType => unionOf([type, NULL]);

/** An object with these fields and, unless `rest` is given, no others. */
export function objectOf(fields: Readonly<Record<string, ValueType>>, rest: ValueType | null = null): ValueType {
  return { kind: 'object', fields: new Map(Object.entries(fields)), rest };
}

export function unionOf(types: readonly ValueType[]): ValueType {
  const members = types.flatMap((type) => (type.kind === 'union' ? type.members : [type]));
  const distinct = members.filter((type, index) => members.findIndex((other) => isSame(other, type)) === index);
  if (distinct.some((type) => type.kind === 'dyn') || distinct.length > MOST_MEMBERS) return DYN;
  if (distinct.length === 0) return DYN;
  return distinct.length === 1 ? (distinct[0] as ValueType) : { kind: 'union', members: distinct };
}

function isSame(left: ValueType, right: ValueType): boolean {
  if (left === right) return true;
  return left.kind === right.kind && !['list', 'object', 'optional', 'union'].includes(left.kind);
}

/** Each way in which the value may come; without null where it may be something else, as every node may be skipped. */
export function membersOf(type: ValueType): readonly ValueType[] {
  const members = type.kind === 'union' ? type.members : [type];
  const others = members.filter((member) => member.kind !== 'null');
  return others.length > 0 ? others : members;
}

/** Whether it is certain that the value is of none of the kinds. */
export function isNeverOf(type: ValueType, kinds: readonly TypeKind[]): boolean {
  return membersOf(type).every((member) => member.kind !== 'dyn' && !kinds.includes(member.kind));
}

/** The type of a field; null where it is certain that there is none. */
export function fieldOf(type: ValueType, name: string): ValueType | null {
  const found = membersOf(type).flatMap((member) => {
    const field = memberField(member, name);
    return field === null ? [] : [field];
  });
  return found.length === 0 ? null : unionOf(found);
}

function memberField(type: ValueType, name: string): ValueType | null {
  switch (type.kind) {
    case 'dyn':
      return DYN;
    case 'object':
      return type.fields.get(name) ?? type.rest;
    case 'optional': {
      const field = fieldOf(type.of, name);
      return field === null ? null : { kind: 'optional', of: field };
    }
    default:
      return null;
  }
}

/** Names of the fields that are known, of all members. */
export function fieldNames(type: ValueType): string[] {
  const names = membersOf(type).flatMap((member) => {
    if (member.kind === 'optional') return fieldNames(member.of);
    return member.kind === 'object' ? [...member.fields.keys()] : [];
  });
  return [...new Set(names)];
}

export function elementOf(type: ValueType): ValueType {
  const elements = membersOf(type).map((member) => {
    if (member.kind === 'list') return member.element;
    return member.kind === 'object' ? STRING : DYN;
  });
  return unionOf(elements);
}

/** As people read it: `{status, headers}`, `list of string`. */
export function describeType(type: ValueType, depth = 0): string {
  switch (type.kind) {
    case 'dyn':
      return 'any';
    case 'list':
      return depth > 2 ? 'list' : `list of ${describeType(type.element, depth + 1)}`;
    case 'object': {
      const names = [...type.fields.keys()];
      const shown = names.slice(0, 8).join(', ');
      return names.length === 0 ? 'object' : `{${shown}${names.length > 8 || type.rest !== null ? ', ...' : ''}}`;
    }
    case 'optional':
      return `optional ${describeType(type.of, depth + 1)}`;
    case 'union':
      return type.members.map((member) => describeType(member, depth + 1)).join(' or ');
    default:
      return type.kind;
  }
}

export function typeOfValue(value: Json): ValueType {
  if (value === null) return NULL;
  if (Array.isArray(value)) return listOf(unionOf(value.map(typeOfValue)));
  switch (typeof value) {
    case 'object':
      return objectOf(Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, typeOfValue(inner)])));
    case 'boolean':
      return BOOL;
    default:
      return typeof value === 'number' ? NUMBER : STRING;
  }
}

/**
 * What JSON Schema (draft 2020-12) says of a value's shape. An object is closed by `additionalProperties: false` alone; what is
 * said in other ways than type, properties, items, enum, const, anyOf, oneOf and local $ref is taken for unknown.
 */
export function typeOfSchema(schema: JsonSchema | undefined): ValueType {
  return schema === undefined ? DYN : readSchema(schema, { root: schema, known: new Map() });
}

/** `known` holds each schema's type, also while it is being read, so that schemas may refer to themselves. */
type Reading = { root: JsonSchema; known: Map<object, ValueType> };

function readSchema(schema: Json | undefined, reading: Reading): ValueType {
  if (!isJsonObject(schema)) return DYN;
  const known = reading.known.get(schema);
  if (known) return known;
  reading.known.set(schema, DYN);
  const type = readKeywords(schema, reading);
  reading.known.set(schema, type);
  return type;
}

function readKeywords(schema: JsonObject, reading: Reading): ValueType {
  if (typeof schema['$ref'] === 'string') return readSchema(resolveRef(schema['$ref'], reading.root), reading);
  if (schema['const'] !== undefined) return typeOfValue(schema['const']);
  if (Array.isArray(schema['enum'])) return unionOf(schema['enum'].map(typeOfValue));
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices) && schema['type'] === undefined) {
    return unionOf(choices.map((choice) => readSchema(choice, reading)));
  }
  const types = Array.isArray(schema['type']) ? schema['type'] : [schema['type']];
  return unionOf(types.map((type) => readType(type, schema, reading)));
}

function readType(type: Json | undefined, schema: JsonObject, reading: Reading): ValueType {
  switch (type) {
    case 'string':
      return STRING;
    case 'number':
    case 'integer':
      return NUMBER;
    case 'boolean':
      return BOOL;
    case 'null':
      return NULL;
    case 'array':
      return Array.isArray(schema['prefixItems']) ? listOf(DYN) : listOf(readSchema(schema['items'], reading));
    case 'object':
      return readObject(schema, reading);
    default:
      return DYN;
  }
}

const OPENING = ['patternProperties', 'allOf', 'anyOf', 'oneOf', 'if', 'dependentSchemas', '$dynamicRef'];

function readObject(schema: JsonObject, reading: Reading): ValueType {
  const fields = new Map<string, ValueType>();
  const further = schema['additionalProperties'];
  const open = OPENING.some((keyword) => schema[keyword] !== undefined);
  const rest = open || further === undefined ? DYN : further === false ? null : readSchema(further, reading);
  const type: ValueType = { kind: 'object', fields, rest };
  reading.known.set(schema, type);
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  for (const [name, property] of Object.entries(properties)) fields.set(name, readSchema(property, reading));
  return type;
}

function resolveRef(ref: string, root: JsonSchema): Json | undefined {
  if (!ref.startsWith('#')) return undefined;
  const parts = ref
    .slice(1)
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return parts.reduce<Json | undefined>((value, part) => (isJsonObject(value) ? value[part] : undefined), root as Json);
}
