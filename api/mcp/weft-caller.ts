import type { GraphQLSchema } from 'graphql';
import type { Principal } from '../access/principal.ts';
import { type PreparedQuery, prepareQuery } from '../rest/run-query.ts';
import type { RunsDeps } from '../runs/deps.ts';

/** Whoever calls, and what it can reach. */
export type WeftCaller = {
  principal: Principal;
  deps: RunsDeps;
  /** An operation of the graph, with all that it demands of a caller. */
  ask: (document: string, variables: Record<string, unknown>) => Promise<unknown>;
};

/** Documents are prepared once: there are as many as are written here. */
export function createAsking(schema: GraphQLSchema, contextOf: (principal: Principal) => object) {
  const prepared = new Map<string, PreparedQuery>();
  const queryOf = (document: string): PreparedQuery => {
    const known = prepared.get(document) ?? prepareQuery(schema, document);
    prepared.set(document, known);
    return known;
  };
  return (principal: Principal): WeftCaller['ask'] =>
    (document, variables) =>
      queryOf(document)(contextOf(principal), variables);
}
