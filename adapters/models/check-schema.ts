import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Json, JsonObject } from '../../domain/json.ts';
import { AppError } from '../../domain/errors.ts';

const MOST_CACHED = 200;

/** Says in which way a value breaks a JSON Schema (draft 2020-12); null when it does not. Compiled schemas are kept. */
export function createSchemaCheck(): (schema: JsonObject, value: Json) => string | null {
  const compiled = new Map<string, ValidateFunction>();
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  const compile = (schema: JsonObject): ValidateFunction => {
    const key = JSON.stringify(schema);
    const known = compiled.get(key);
    if (known) return known;
    try {
      const validate = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
      if (compiled.size >= MOST_CACHED) compiled.delete(compiled.keys().next().value as string);
      compiled.set(key, validate);
      return validate;
    } catch (error) {
      throw new AppError('CONFIG_INVALID', { detail: `schema: ${(error as Error).message}` }, error);
    }
  };
  return (schema, value) => {
    const validate = compile(schema);
    return validate(value) ? null : ajv.errorsText(validate.errors, { dataVar: '' });
  };
}
