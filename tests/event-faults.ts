import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type pg from 'pg';
import { EVENT_TYPES } from '../domain/events/event-types.ts';
import type { Json } from '../domain/json.ts';

type Row = { type: string; schema_version: number; payload: Json };

/** Stored events whose payload is not what the schema of their type says; large values stand as they are stored. */
export async function eventFaults(pool: pg.Pool): Promise<string[]> {
  const ajv = formats.default(new Ajv2020({ strict: true, allowUnionTypes: true }));
  const known = new Map(EVENT_TYPES.map((row) => [row.type, row]));
  const validators = new Map<string, ValidateFunction>();
  const { rows } = await pool.query<Row>(
    'SELECT type, schema_version, payload FROM events ORDER BY tenant_id, position',
  );
  return rows.flatMap(({ type, schema_version, payload }) => {
    const row = known.get(type);
    if (row === undefined) return /^temporal\.[a-z_]+$/.test(type) ? [] : [`${type} is in no catalogue`];
    if (schema_version !== row.schemaVersion) return [`${type} is of version ${schema_version}`];
    const validate = validators.get(type) ?? ajv.compile(row.schema);
    validators.set(type, validate);
    return validate(payload) ? [] : [`${type}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(payload)}`];
  });
}
