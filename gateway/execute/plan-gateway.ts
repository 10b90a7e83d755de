import type { ApolloServerOptions, BaseContext } from '@apollo/server';
import { coerceVariables } from './coerce-variables.ts';
import { executeOperation } from './execute-operation.ts';
import type { Federation } from './federation.ts';
import { createPlanCache } from './plan-cache.ts';
import type { SubgraphSources } from './subgraph-answer.ts';

export type GatewayInterface = NonNullable<ApolloServerOptions<BaseContext>['gateway']>;
type Listener = Parameters<GatewayInterface['onSchemaLoadOrUpdate']>[0];

/** What Apollo Server takes for a gateway: the same planner, with our own executor of plans. */
export function createPlanGateway<Context>(first: Federation, sources: SubgraphSources<Context>): GatewayInterface {
  const listeners = new Set<Listener>();
  const plans = createPlanCache(first);
  const announce = ({ schema, supergraphSdl }: Federation) => {
    for (const listener of listeners) listener({ apiSchema: schema, coreSupergraphSdl: supergraphSdl });
  };
  return {
    onSchemaLoadOrUpdate(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async load() {
      announce(plans.federation);
      return {
        async executor({ request, document, queryHash, operation, context }) {
          const { variables = {}, operationName } = request;
          const invalid = coerceVariables(plans.federation.schema, operation, variables);
          if (invalid.length > 0) return { errors: invalid };
          const prepared = plans.prepare(queryHash + (operationName ?? ''), document, operationName);
          return executeOperation(prepared, { sources, context: context as Context, variables });
        },
      };
    },
    async stop() {},
  };
}
