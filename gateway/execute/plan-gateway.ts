import type { ApolloServerOptions, BaseContext } from '@apollo/server';
import type { GraphQLSchema, OperationTypeNode } from 'graphql';
import type { Caller } from '../access-policies.ts';
import type { CachePolicy } from '../cache/cache-policy.ts';
import { restrictPolicy } from '../cache/restrict-policy.ts';
import { coerceVariables } from './coerce-variables.ts';
import { executeOperation, type Figures, withFigures } from './execute-operation.ts';
import type { Federation } from './federation.ts';
import type { Keeping } from './kept-entities.ts';
import { type CostLimits, createPlanCache, type PlanCache, warmPlanCache } from './plan-cache.ts';
import type { SubgraphSources } from './subgraph-answer.ts';

export type GatewayInterface = NonNullable<ApolloServerOptions<BaseContext>['gateway']>;
type Listener = Parameters<GatewayInterface['onSchemaLoadOrUpdate']>[0];

export type PlanGateway = GatewayInterface & {
  /** The plans of what is served now. */
  plans: () => PlanCache;
  /** Serves another supergraph as soon as the plans in use are made for it; requests under way end on the one they began on. */
  swap: (next: Federation) => Promise<void>;
};

/** What the gateway itself looks at of a context. */
export type PlanContext = {
  caller?: Caller | undefined;
  /** How large an operation is, where its caller asked for that. */
  figures?: ((query: string, cost: number) => Figures) | undefined;
};

export type PlanGatewayOptions = {
  normalises?: boolean;
  limits?: CostLimits;
  tellsNulls?: boolean;
  /** Where entities are kept for a caller. */
  keepingFor?: ((caller: Caller | undefined, operation: OperationTypeNode) => Keeping | undefined) | undefined;
};

const WARMED_PLANS = 200;

/** What Apollo Server takes for a gateway: the same planner, with our own executor of plans. */
export function createPlanGateway<Context>(
  first: Federation,
  sources: SubgraphSources<Context>,
  options: PlanGatewayOptions = {},
): PlanGateway {
  const listeners = new Set<Listener>();
  const bySchema = new WeakMap<object, PlanCache>();
  let plans = createPlanCache(first, options);
  const serve = (next: PlanCache) => {
    plans = next;
    const { schema, supergraphSdl } = next.federation;
    bySchema.set(schema, next);
    for (const listener of listeners) listener({ apiSchema: schema, coreSupergraphSdl: supergraphSdl });
  };
  const plansOf = (schema: GraphQLSchema) => bySchema.get(schema) ?? plans;
  return {
    plans: () => plans,
    swap: async (next) => serve(await warmPlanCache(next, plans, WARMED_PLANS)),
    onSchemaLoadOrUpdate(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async load() {
      serve(plans);
      return {
        async executor({ request, document, schema, queryHash, operation, context, overallCachePolicy }) {
          const { variables = {}, operationName } = request;
          const invalid = coerceVariables(schema, operation, variables);
          if (invalid.length > 0) return { errors: invalid };
          const { caller, figures } = context as PlanContext;
          const onPolicy = (policy: CachePolicy) => restrictPolicy(overallCachePolicy, policy, caller);
          const key = queryHash + (operationName ?? '');
          const plan = plansOf(schema).prepare(key, document, { operationName }, { caller, variables });
          if ('refused' in plan) return { errors: plan.refused };
          const given = { ...variables, ...plan.literals };
          const keeping = options.keepingFor?.(caller, operation.operation);
          const { tellsNulls } = options;
          const common = { sources, context: context as Context, caller, keeping, onPolicy, tellsNulls };
          const result = await executeOperation(plan.prepared, { ...common, variables: given });
          return figures === undefined ? result : withFigures(result, figures(request.query ?? '', plan.cost(given)));
        },
      };
    },
    async stop() {},
  };
}
