import type { GraphQLFormattedError } from 'graphql';

/**
 * Subgraphs' errors pass unchanged, apart from the planner's `serviceName`, which is `service` here.
 * What carries no code is the gateway's own fault: its message goes to the log alone.
 */
export function formatError(
  error: GraphQLFormattedError,
  traceId: string | undefined,
  logInternal: () => void,
): GraphQLFormattedError {
  const { serviceName, stacktrace: _stack, ...extensions } = error.extensions ?? {};
  if (serviceName !== undefined) return { ...error, extensions: { service: serviceName, ...extensions } };
  const { code } = extensions;
  if (code !== undefined && code !== 'INTERNAL_SERVER_ERROR') return { ...error, extensions };
  logInternal();
  return {
    message: 'Internal error; the log has the details',
    ...(error.path && { path: error.path }),
    extensions: { code: 'INTERNAL', traceId },
  };
}
