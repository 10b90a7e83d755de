import { type Schema, Validator } from '@cfworker/json-schema';
import type { Json } from '../json.ts';

/** The first way in which a value breaks a JSON Schema (draft 2020-12); null when it does not. */
export function schemaProblem(schema: Json, value: Json): string | null {
  const { valid, errors } = new Validator(schema as Schema, '2020-12').validate(value);
  if (valid) return null;
  const last = errors.at(-1);
  return last ? `${last.instanceLocation.replace(/^#/, '') || '/'} ${last.error}` : 'does not match';
}
