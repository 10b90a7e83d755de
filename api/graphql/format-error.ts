import { unwrapResolverError } from '@apollo/server/errors';
import type { GraphQLFormattedError } from 'graphql';
import { AppError } from '../../domain/errors.ts';
import { toAppError } from './to-app-error.ts';

/** Fields of an AppError that callers can work with; the others are in its message. */
const VISIBLE_FIELDS = ['problems', 'paths', 'currentRevision', 'replacement'] as const;

/**
 * The one mapper from errors to GraphQL. What is neither an AppError nor GraphQL's own refusal is a fault of ours:
 * its text goes to the log alone, found again by the trace id.
 */
export function formatError(
  formatted: GraphQLFormattedError,
  error: unknown,
  traceId: string | undefined,
  logInternal: (error: unknown) => void,
): GraphQLFormattedError {
  const original = unwrapResolverError(error);
  const known = toAppError(original);
  if (known && known.code !== 'INTERNAL') return formatAppError(formatted, known);
  const { stacktrace: _stack, ...extensions } = formatted.extensions ?? {};
  const { code } = extensions;
  if (!known && code !== undefined && code !== 'INTERNAL_SERVER_ERROR') {
    return { ...formatted, extensions };
  }
  logInternal(original);
  return { ...formatted, message: new AppError('INTERNAL').message, extensions: { code: 'INTERNAL', traceId } };
}

function formatAppError(formatted: GraphQLFormattedError, error: AppError): GraphQLFormattedError {
  const fields = VISIBLE_FIELDS.filter((name) => error.fields[name] !== undefined);
  return {
    ...formatted,
    message: error.message,
    extensions: {
      code: error.code,
      ...(error.hint !== undefined && { hint: error.hint }),
      ...Object.fromEntries(fields.map((name) => [name, error.fields[name]])),
    },
  };
}
