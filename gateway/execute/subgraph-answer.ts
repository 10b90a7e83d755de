import type { GraphQLFormattedError, OperationTypeNode } from 'graphql';
import type { CachePolicy } from '../cache/cache-policy.ts';
import type { JsonObject } from './json-value.ts';

export type SubgraphFetch = { kind: OperationTypeNode; body: string };

export type SubgraphAnswer = {
  data?: JsonObject | null | undefined;
  errors?: readonly GraphQLFormattedError[] | undefined;
  /** How long it may be kept; without it not at all. */
  policy?: CachePolicy | undefined;
};

/** How the executor reaches one subgraph; it rejects when there is no answer. */
export type SubgraphSource<Context> = (fetch: SubgraphFetch, context: Context) => Promise<SubgraphAnswer>;

export type SubgraphSources<Context> = ReadonlyMap<string, SubgraphSource<Context>>;
