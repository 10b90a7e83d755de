import { execute, type GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import { AppError } from '../../domain/errors.ts';
import { toAppError } from '../graphql/to-app-error.ts';

/** Runs one prepared operation of the graph and gives the value of its root field. */
export type PreparedQuery = (context: object, variables: Record<string, unknown>) => Promise<unknown>;

/** @throws OPERATION_UNDECLARED when it is no operation of this schema */
export function prepareQuery(schema: GraphQLSchema, source: string): PreparedQuery {
  const document = parse(source);
  const problems = validate(schema, document);
  if (problems.length > 0) {
    throw new AppError('OPERATION_UNDECLARED', { operation: `${source}: ${problems.map(String).join('; ')}` });
  }
  return async (contextValue, variables) => {
    // What is left out must not become null, which would mean something else.
    const variableValues = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined));
    const result = await execute({ schema, document, contextValue, variableValues });
    if (result.errors?.[0]) throw errorOf(result.errors[0]);
    return Object.values(result.data ?? {})[0];
  };
}

function errorOf(error: GraphQLError): unknown {
  const { originalError, extensions, message } = error;
  const known = originalError && toAppError(originalError);
  if (known) return known;
  const ofTheCaller = originalError === undefined || extensions['code'] === 'BAD_USER_INPUT';
  return ofTheCaller ? new AppError('INPUT_INVALID', { detail: message }) : originalError;
}
