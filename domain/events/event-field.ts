import type { Json, JsonObject } from '../json.ts';

/** One field of an event's payload: its JSON Schema, and with it its type. */
export type Field<Value> = { schema: JsonObject; optional?: true; readonly type?: Value };
export type OptionalField<Value> = Field<Value> & { optional: true };
export type Fields = { readonly [name: string]: Field<unknown> };

type TypeOf<Given> = Given extends Field<infer Value> ? Value : never;
/** What a payload with these fields is. */
export type PayloadOf<Given extends Fields> = {
  [Name in keyof Given as Given[Name] extends OptionalField<unknown> ? never : Name]: TypeOf<Given[Name]>;
} & {
  [Name in keyof Given as Given[Name] extends OptionalField<unknown> ? Name : never]?: TypeOf<Given[Name]>;
};

/** A type of events: what has happened, and the fields of its payload in the present version. */
export type EventKind<Given extends Fields = Fields> = { schemaVersion: number; happened: string; payload: Given };

export function eventKind<const Given extends Fields>(
  happened: string,
  payload: Given,
  schemaVersion = 1,
): EventKind<Given> {
  return { schemaVersion, happened, payload };
}

export const text = (description: string): Field<string> => ({ schema: { type: 'string', description } });
export const count = (description: string): Field<number> => ({ schema: { type: 'integer', minimum: 0, description } });
export const amount = (description: string): Field<number> => ({ schema: { type: 'number', description } });
export const flag = (description: string): Field<boolean> => ({ schema: { type: 'boolean', description } });
/** ISO 8601, in UTC. */
export const moment = (description: string): Field<string> => ({
  schema: { type: 'string', format: 'date-time', description },
});
export const anything = (description: string): Field<Json> => ({ schema: { description } });
export const object = (description: string): Field<JsonObject> => ({ schema: { type: 'object', description } });

export function oneOf<const Values extends readonly string[]>(
  description: string,
  values: Values,
): Field<Values[number]> {
  return { schema: { type: 'string', enum: [...values], description } };
}

export const listOf = <Item>(description: string, { schema }: Field<Item>): Field<Item[]> => ({
  schema: { type: 'array', items: schema, description },
});

export function group<const Given extends Fields>(description: string, fields: Given): Field<PayloadOf<Given>> {
  return { schema: { ...fieldsSchema(fields), description } };
}

export function nullable<Value>({ schema }: Field<Value>): Field<Value | null> {
  const { type, enum: values, ...rest } = schema;
  if (typeof type !== 'string') return { schema };
  return { schema: { ...rest, type: [type, 'null'], ...(Array.isArray(values) ? { enum: [...values, null] } : {}) } };
}

export const optional = <Value>(field: Field<Value>): OptionalField<Value> => ({ ...field, optional: true });

/** Fields that are not named may come with a later version, so they are allowed. */
export function fieldsSchema(fields: Fields): JsonObject {
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema])),
    required: Object.keys(fields).filter((name) => !fields[name]?.optional),
  };
}
