import { operationFromDocument, type Schema, Supergraph } from '@apollo/federation-internals';
import { type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { createFieldRules, type FieldRules } from '../access-needs.ts';
import type { GuardedSupergraph } from '../access-rules.ts';
import { type CostRules, costRules } from '../limits/cost-rules.ts';
import { createTypeTest, type TypeTest } from './type-conditions.ts';

export type PlanOptions = {
  operationName?: string | undefined;
  /** Whether `@defer` is kept; else what it defers is planned with the rest. */
  defers?: boolean;
};

/** A supergraph ready to plan and to run operations. */
export type Federation = {
  supergraphSdl: string;
  /** What callers see. */
  schema: GraphQLSchema;
  subgraphs: readonly string[];
  isOfType: TypeTest;
  /** What its fields need; enforced before anything is planned. */
  rulesOf: FieldRules;
  costRules: CostRules;
  plan: (document: DocumentNode, options: PlanOptions) => QueryPlan;
};

/** @throws when the supergraph is not one, or needs a feature that is not here */
export function createFederation({ sdl: supergraphSdl, rules }: GuardedSupergraph): Federation {
  const supergraph = Supergraph.build(supergraphSdl);
  const apiSchema: Schema = supergraph.apiSchema();
  const planner = new QueryPlanner(supergraph);
  let deferring: QueryPlanner | undefined;
  const schema = apiSchema.toGraphQLJSSchema({ includeDefer: true });
  return {
    supergraphSdl,
    schema,
    subgraphs: [...supergraph.subgraphsMetadata()].map(({ name }) => name),
    isOfType: createTypeTest(supergraph.schema.toGraphQLJSSchema()),
    rulesOf: createFieldRules(schema, rules),
    costRules: costRules(supergraphSdl),
    plan(document, { operationName, defers = false }) {
      const operation = operationFromDocument(
        apiSchema,
        document,
        operationName === undefined ? {} : { operationName },
      );
      if (!defers) return planner.buildQueryPlan(operation);
      deferring ??= new QueryPlanner(supergraph, { incrementalDelivery: { enableDefer: true } });
      return deferring.buildQueryPlan(operation);
    },
  };
}
