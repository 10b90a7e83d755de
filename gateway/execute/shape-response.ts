import { ERRORS } from '@apollo/federation-internals';
import { type GraphQLError, type GraphQLSchema, isObjectType } from 'graphql';
import { type JsonObject, ownValue, setOwn } from './json-value.ts';
import type { FieldShape, ObjectShape, ValueShape } from './response-shape.ts';

export type Shaping = {
  schema: GraphQLSchema;
  introspect: (field: Extract<FieldShape, { kind: 'introspection' }>) => unknown;
  /** Of a field that the caller may not have, at a place. */
  refuse: (field: DeniedShape, path: readonly (string | number)[]) => GraphQLError;
};

export type DeniedShape = Extract<FieldShape, { kind: 'denied' }>;
/** More of them say nothing new. */
const MOST_REFUSALS = 50;

export type ShapedResponse = { data: JsonObject | null; errors: GraphQLError[]; refusals: GraphQLError[] };

type State = Shaping & {
  path: (string | number)[];
  errors: GraphQLError[];
  refusals: GraphQLError[];
  /** Whether the last null has been told of, or may not be. */
  explained: boolean;
};

const INVALID = Symbol('null where none may be');

/** Gives what was asked for out of what was fetched; a null that may not be takes what is around it along. */
export function shapeResponse(
  shape: ObjectShape,
  input: JsonObject,
  shaping: Shaping,
  path: readonly (string | number)[] = [],
): ShapedResponse {
  const state: State = { ...shaping, path: [...path], errors: [], refusals: [], explained: false };
  const data: JsonObject = {};
  const typename = path.length > 0 ? input['__typename'] : '';
  const fields = shape.fieldsOf(typeof typename === 'string' ? typename : '') ?? [];
  const shaped = shapeFields(input, fields, data, state) ? data : null;
  return { data: shaped, errors: state.errors, refusals: state.refusals };
}

function shapeFields(input: JsonObject, fields: readonly FieldShape[], output: JsonObject, state: State): boolean {
  for (const field of fields) {
    const { name } = field;
    if (field.kind === 'value') {
      const value = (field.inherited ? ownValue(input, name) : input[name]) ?? null;
      state.path.push(name);
      const shaped = shapeValue(value, field.value, field.coordinate, state);
      state.path.pop();
      if (shaped === INVALID) return false;
      if (field.inherited) setOwn(output, name, shaped);
      else output[name] = shaped;
    } else if (field.kind === 'typename') {
      const typename = typenameOf(input, field, state.schema);
      if (typename === null) return false;
      setOwn(output, name, typename);
    } else if (field.kind === 'denied') {
      if (state.refusals.length < MOST_REFUSALS) state.refusals.push(state.refuse(field, [...state.path, name]));
      state.explained = true;
      if (field.nonNull) return false;
      setOwn(output, name, null);
    } else {
      setOwn(output, name, state.introspect(field));
    }
  }
  return true;
}

function typenameOf(
  input: JsonObject,
  { name, parentType }: Extract<FieldShape, { kind: 'typename' }>,
  schema: GraphQLSchema,
): string | null {
  const typename = ownValue(input, name) ?? input['__typename'];
  const type = (typeof typename === 'string' ? schema.getType(typename) : undefined) ?? schema.getType(parentType);
  return isObjectType(type) ? type.name : null;
}

function shapeValue(value: unknown, shape: ValueShape, coordinate: string, state: State): unknown {
  const shaped = value === null || value === undefined ? missing(state) : shapePresent(value, shape, coordinate, state);
  if (shaped !== null || !shape.nonNull) return shaped;
  if (!state.explained) report(`Cannot return null for non-nullable ${placeOf(shape, coordinate, state)}.`, state);
  return INVALID;
}

function missing(state: State): null {
  state.explained = false;
  return null;
}

function shapePresent(value: unknown, shape: ValueShape, coordinate: string, state: State): unknown {
  switch (shape.kind) {
    case 'leaf':
      if (shape.isValid(value)) return value;
      return report(`Invalid value found for ${placeOf(shape, coordinate, state)}.`, state);
    case 'list':
      return shapeList(value, shape, state);
    case 'object':
      return shapeObject(value, shape, coordinate, state);
  }
}

function shapeList(value: unknown, shape: Extract<ValueShape, { kind: 'list' }>, state: State): unknown {
  if (!Array.isArray(value)) {
    throw new Error(`Invalid non-list value ${String(value)} returned by subgraph for list type ${shape.name}`);
  }
  const { item } = shape;
  let nullified = false;
  const list = new Array<unknown>(value.length);
  for (let index = 0; index < value.length; index += 1) {
    state.path.push(index);
    const shaped = shapeValue(value[index], item, '', state);
    state.path.pop();
    if (shaped === INVALID) nullified = true;
    else list[index] = shaped;
  }
  state.explained = nullified;
  return nullified ? null : list;
}

function shapeObject(
  value: unknown,
  shape: Extract<ValueShape, { kind: 'object' }>,
  coordinate: string,
  state: State,
): unknown {
  if (typeof value !== 'object') {
    throw new Error(`Invalid non-object value ${String(value)} returned by subgraph for composite type ${shape.name}`);
  }
  const input = value as JsonObject;
  const typename = input['__typename'] ?? '';
  const fields = typeof typename === 'string' ? shape.object.fieldsOf(typename) : null;
  if (fields === null) {
    return report(`Invalid __typename found for object at ${placeOf(shape, coordinate, state)}.`, state);
  }
  const output: JsonObject = {};
  if (shapeFields(input, fields, output, state)) return output;
  state.explained = true;
  return null;
}

function placeOf(shape: ValueShape, coordinate: string, { path }: State): string {
  const last = path.at(-1);
  return typeof last === 'number' ? `array element of type ${shape.name} at index ${last}` : coordinate;
}

function report(message: string, state: State): null {
  state.errors.push(ERRORS.INVALID_GRAPHQL.err(message, { path: [...state.path] }));
  state.explained = true;
  return null;
}
