import addFormats from 'ajv-formats';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { DefinitionHash } from '../../domain/identifiers.ts';
import type { DefinitionProblem, JsonSchema } from '../../domain/runs/definition.ts';

export type BadPath = {
  /** JSON Pointer into the input. */
  path: string;
  message: string;
};
export type InputValidator = (input: unknown) => BadPath[];
export type InputValidators = {
  /** Compiled once per definition. */
  of: (hash: DefinitionHash, schema: JsonSchema | undefined) => InputValidator;
};

const MAXIMUM_PATHS = 100;

export function createInputValidators(capacity = 500): InputValidators {
  const compiled = new Map<DefinitionHash, InputValidator>();
  return {
    of(hash, schema) {
      const validator = compiled.get(hash) ?? validatorOf(schema);
      // Re-inserted, so that the first entry is the one unused for longest.
      compiled.delete(hash);
      compiled.set(hash, validator);
      const oldest = compiled.keys().next().value;
      if (compiled.size > capacity && oldest !== undefined) compiled.delete(oldest);
      return validator;
    },
  };
}

/** Why a schema cannot validate inputs; none means that it can. */
export function inputSchemaProblems(schema: unknown): DefinitionProblem[] {
  if (schema === undefined) return [];
  const ajv = createAjv();
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null)) return [];
  try {
    if (ajv.validateSchema(schema)) {
      ajv.compile(schema);
      return [];
    }
    return badPaths(ajv.errors).map(({ path, message }) => problem(path, message));
  } catch (error) {
    return [problem('', (error as Error).message)];
  }
}

function problem(path: string, message: string): DefinitionProblem {
  return {
    code: 'INPUT_SCHEMA_INVALID',
    path: `/input${path}`,
    nodeId: null,
    message: `The input schema is not valid: ${message}`,
    hint: 'It must be JSON Schema, draft 2020-12.',
  };
}

function validatorOf(schema: JsonSchema | undefined): InputValidator {
  if (schema === undefined) return () => [];
  const validate: ValidateFunction = createAjv().compile(schema);
  return (input) => (validate(input) ? [] : badPaths(validate.errors));
}

/** An instance per schema: two definitions may use the same $id. */
function createAjv(): Ajv2020 {
  const ajv = new Ajv2020({ allErrors: true, strict: false, logger: false });
  addFormats.default(ajv);
  return ajv;
}

function badPaths(errors: readonly ErrorObject[] | null | undefined): BadPath[] {
  return (errors ?? []).slice(0, MAXIMUM_PATHS).map((error) => ({
    path: error.instancePath + pointerTo(error),
    message: error.message ?? error.keyword,
  }));
}

/** A missing or surplus property is reported at itself, not at the object around it. */
function pointerTo({ params }: ErrorObject): string {
  const name: unknown = params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty'];
  return typeof name === 'string' ? `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}` : '';
}
