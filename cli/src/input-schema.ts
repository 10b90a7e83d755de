import addFormats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type DefinitionProblem, isJsonObject } from '../../sdk/src/index.ts';

const createAjv = (): Ajv2020 => {
  const ajv = new Ajv2020({ allErrors: true, strict: false, logger: false });
  addFormats.default(ajv);
  return ajv;
};

/** Why the input schema of a definition cannot validate inputs; the server says the same when it is published. */
export function inputSchemaProblems(definition: unknown): DefinitionProblem[] {
  const schema = isJsonObject(definition) ? definition['input'] : undefined;
  if (typeof schema !== 'object' || schema === null) return [];
  const problem = (path: string, message: string): DefinitionProblem => ({
    code: 'INPUT_SCHEMA_INVALID',
    path: `/input${path}`,
    nodeId: null,
    message: `The input schema is not valid: ${message}`,
    hint: 'It must be JSON Schema, draft 2020-12.',
  });
  try {
    const ajv = createAjv();
    if (!ajv.validateSchema(schema)) {
      return (ajv.errors ?? [])
        .slice(0, 100)
        .map((error) => problem(error.instancePath, error.message ?? error.keyword));
    }
    ajv.compile(schema);
    return [];
  } catch (error) {
    return [problem('', (error as Error).message)];
  }
}

/** How an input breaks the schema of a definition. */
export function inputProblems(schema: unknown, input: unknown): string[] {
  if (schema === undefined) return [];
  const validate = createAjv().compile(schema as object | boolean);
  if (validate(input)) return [];
  return (validate.errors ?? []).map((error) => `input${error.instancePath} ${error.message ?? error.keyword}`);
}
