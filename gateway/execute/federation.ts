import { operationFromDocument, type Schema, Supergraph } from '@apollo/federation-internals';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { createTypeTest, type TypeTest } from './type-conditions.ts';

/** A supergraph ready to plan and to run operations. */
export type Federation = {
  supergraphSdl: string;
  /** What callers see. */
  schema: GraphQLSchema;
  subgraphs: readonly string[];
  isOfType: TypeTest;
  plan: (document: DocumentNode, operationName?: string) => QueryPlan;
};

/** @throws when the supergraph is not one, or needs a feature that is not here */
export function createFederation(supergraphSdl: string): Federation {
  const supergraph = Supergraph.build(supergraphSdl);
  const apiSchema: Schema = supergraph.apiSchema();
  const planner = new QueryPlanner(supergraph);
  return {
    supergraphSdl,
    schema: apiSchema.toGraphQLJSSchema(),
    subgraphs: [...supergraph.subgraphsMetadata()].map(({ name }) => name),
    isOfType: createTypeTest(supergraph.schema.toGraphQLJSSchema()),
    plan: (document, operationName) =>
      planner.buildQueryPlan(
        operationFromDocument(apiSchema, document, operationName === undefined ? {} : { operationName }),
      ),
  };
}
