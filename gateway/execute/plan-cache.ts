import { setImmediate } from 'node:timers/promises';
import { type DocumentNode, print, specifiedRules, validate } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Federation, PlanOptions } from './federation.ts';
import { normaliseLiterals } from './normalise-literals.ts';
import { type PreparedOperation, prepareOperation } from './prepare-operation.ts';

export type CachedPlan = {
  document: DocumentNode;
  options: PlanOptions;
  prepared: PreparedOperation;
  /** What its literals were, for the variables in their places. */
  literals: Readonly<Record<string, unknown>>;
};

/** The plans of one supergraph. */
export type PlanCache = {
  federation: Federation;
  /** Whether literals become variables before planning. */
  normalises: boolean;
  /** @param key stands for the document and the name of the operation */
  prepare: (key: string, document: DocumentNode, options: PlanOptions) => CachedPlan;
  /** What was used, latest first. */
  used: () => Iterable<readonly [key: string, plan: CachedPlan]>;
};

const MAXIMUM_DOCUMENTS = 5000;
const MAXIMUM_PLANS = 1000;

export function createPlanCache(federation: Federation, { normalises = true } = {}): PlanCache {
  const documents = new LRUCache<string, CachedPlan>({ max: MAXIMUM_DOCUMENTS });
  const plans = new LRUCache<string, PreparedOperation>({ max: MAXIMUM_PLANS });
  return {
    federation,
    normalises,
    used: () => documents.entries(),
    prepare(key, document, options) {
      const known = documents.get(key);
      if (known !== undefined) return known;
      const { document: normalised, literals } = normalises
        ? normaliseLiterals(federation.schema, document)
        : { document, literals: {} };
      const planKey = `${options.operationName ?? ''} ${options.defers}\n${print(normalised)}`;
      const prepared = plans.get(planKey) ?? prepareOperation(federation, normalised, options);
      plans.set(planKey, prepared);
      const plan: CachedPlan = { document, options, prepared, literals };
      documents.set(key, plan);
      return plan;
    },
  };
}

/** Plans for another supergraph what was used last, so that its first callers do not wait for the planner. */
export async function warmPlanCache(federation: Federation, before: PlanCache, most: number): Promise<PlanCache> {
  const cache = createPlanCache(federation, before);
  const latest = [...before.used()].slice(0, most);
  for (const [key, { document, options }] of latest.reverse()) {
    if (validate(federation.schema, document, specifiedRules).length > 0) continue;
    try {
      cache.prepare(key, document, options);
    } catch {
      // Who asks for it again is told why it cannot be planned.
    }
    await setImmediate();
  }
  return cache;
}
