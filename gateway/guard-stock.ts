import { LRUCache } from 'lru-cache';
import { accessNeeds, createFieldRules, deniedOf, type FieldRules, type Need, refusal } from './access-needs.ts';
import type { Caller } from './access-policies.ts';
import type { AccessRules } from './access-rules.ts';
import type { GatewayInterface } from './execute/plan-gateway.ts';

const MOST_DOCUMENTS = 1000;

/** The stock gateway, which runs nothing of an operation when any of it is denied: it cannot leave fields out. */
export function guardStock(stock: GatewayInterface, rules: () => AccessRules): GatewayInterface {
  const bySchema = new WeakMap<object, FieldRules>();
  const known = new LRUCache<string, readonly Need[]>({ max: MOST_DOCUMENTS });
  const stop = stock.onSchemaLoadOrUpdate(({ apiSchema }) => {
    known.clear();
    bySchema.set(apiSchema, createFieldRules(apiSchema, rules()));
  });
  return {
    onSchemaLoadOrUpdate: (listener) => stock.onSchemaLoadOrUpdate(listener),
    async stop() {
      stop();
      await stock.stop();
    },
    async load(options) {
      const loaded = await stock.load(options);
      return {
        ...loaded,
        async executor(request) {
          const { caller } = request.context as { caller?: Caller };
          if (caller !== undefined) {
            const { schema, document, operation, queryHash } = request;
            const rulesOf = bySchema.get(schema) ?? createFieldRules(schema, rules());
            bySchema.set(schema, rulesOf);
            const key = `${queryHash} ${request.request.operationName ?? ''}`;
            const needs = known.get(key) ?? accessNeeds(schema, rulesOf, document, operation);
            known.set(key, needs);
            const denied = deniedOf(needs, caller);
            for (const need of denied) caller.refused(need.field, need.rules);
            if (denied.length > 0) return { errors: denied.map((need) => refusal(caller, need, need.path)) };
          }
          if (loaded.executor === null || loaded.executor === undefined) return {};
          return loaded.executor(request);
        },
      };
    },
  };
}
