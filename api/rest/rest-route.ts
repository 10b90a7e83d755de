import type { z } from 'zod';
import type { Operation } from '../../domain/access/operation-permissions.ts';

export type Given = {
  path: Record<string, string>;
  query: Record<string, unknown>;
  body: Record<string, unknown>;
  /** Of `Idempotency-Key`. */
  idempotencyKey: string | undefined;
};

/** One route: an operation of the graph under an address of its own. */
export type RestRoute = {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As in OpenAPI: `/workflows/{id}`. */
  path: string;
  operation: Operation;
  summary: string;
  query?: z.ZodObject;
  body?: z.ZodObject;
  /** The operation with what is shown of its result, as GraphQL with one root field. */
  document: string;
  /** Default: path, query and body together. */
  variables?: (given: Given) => Record<string, unknown>;
  /** Default 200. */
  status?: number;
  /** What is answered, where it is not the result as it is. */
  present?: (result: never, given: Given) => unknown;
  /** Where the result is to be found. */
  location?: (result: never) => string;
  /** Takes `Idempotency-Key`. */
  idempotent?: true;
  /** Takes `?wait=30s` and answers 200 with the result when the run has closed by then, else 202. */
  waits?: true;
  /** Kept for callers of an earlier product. */
  alias?: true;
};

/** Path, query and body as variables of the same names. */
export function variablesOf(route: RestRoute, given: Given): Record<string, unknown> {
  if (route.variables) return route.variables(given);
  return { ...given.body, ...given.query, ...given.path };
}

export const isConnection = (value: unknown): value is Connection =>
  typeof value === 'object' && value !== null && 'edges' in value && 'pageInfo' in value;
type Connection = {
  edges: { node: unknown }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  totalCount: number;
};

export type ListAnswer = { items: unknown[]; totalCount: number; nextCursor: string | null };

export function listAnswer({ edges, pageInfo, totalCount }: Connection): ListAnswer {
  return {
    items: edges.map(({ node }) => node),
    totalCount,
    nextCursor: pageInfo.hasNextPage ? pageInfo.endCursor : null,
  };
}
