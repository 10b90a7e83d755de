import { errorCodeDef, ERRORS } from '@apollo/federation-internals';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';

/** A subgraph's error as the gateway's: its code stays, its service is named. */
export function subgraphError(
  original: GraphQLFormattedError,
  subgraph: string,
  path: readonly (string | number)[] | undefined,
): GraphQLError {
  const message = original.message || `Error while fetching subquery from service "${subgraph}"`;
  const extensions = { ...original.extensions, serviceName: subgraph };
  const options = { originalError: original as Error, path, extensions };
  const known = errorCodeDef(original);
  if (known === undefined && original.extensions?.['code']) return new GraphQLError(message, options);
  return (known ?? ERRORS.DOWNSTREAM_SERVICE_ERROR).err(message, options);
}
