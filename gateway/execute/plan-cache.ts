import { setImmediate } from 'node:timers/promises';
import {
  type DocumentNode,
  type GraphQLError,
  type OperationDefinitionNode,
  OperationTypeNode,
  print,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { accessNeeds, deniedOf, type Need, refusal } from '../access-needs.ts';
import type { Caller } from '../access-policies.ts';
import { limitExceeded, type Limits } from '../limits/limits.ts';
import { compileCost, type OperationCost } from '../limits/operation-cost.ts';
import type { Federation, PlanOptions } from './federation.ts';
import { normaliseLiterals } from './normalise-literals.ts';
import { operationOf, type PreparedOperation, prepareOperation } from './prepare-operation.ts';

/** A document, whoever asks. */
type CachedDocument = {
  document: DocumentNode;
  options: PlanOptions;
  normalised: DocumentNode;
  operation: OperationDefinitionNode;
  /** What its literals were, for the variables in their places. */
  literals: Readonly<Record<string, unknown>>;
  needs: readonly Need[];
  cost: OperationCost;
  /** For who may have all of it; made when it is first asked for. */
  whole: CachedPlan | null;
};
export type CachedPlan = Pick<CachedDocument, 'literals'> & { prepared: PreparedOperation; cost: OperationCost };
export type CostLimits = Pick<Limits, 'cost' | 'listSize'>;
/** Who runs an operation, with what. */
export type Asked = {
  /** Gets a plan without the fields that are denied to it; undefined where everybody may have everything. */
  caller: Caller | undefined;
  variables: Readonly<Record<string, unknown>>;
};
/** Nothing is run of what is too costly, nor of what changes or follows something when any of it is denied. */
export type RefusedPlan = { refused: readonly GraphQLError[] };

/** The plans of one supergraph. */
export type PlanCache = {
  federation: Federation;
  /** Whether literals become variables before planning. */
  normalises: boolean;
  limits: CostLimits;
  /**
   * @param key stands for the document and the name of the operation
   */
  prepare: (key: string, document: DocumentNode, options: PlanOptions, asked: Asked) => CachedPlan | RefusedPlan;
  /** What was used, latest first. */
  used: () => Iterable<readonly [key: string, plan: Pick<CachedDocument, 'document' | 'options'>]>;
};

const UNLIMITED: CostLimits = { cost: Infinity, listSize: 1 };
const MAXIMUM_DOCUMENTS = 5000;
const MAXIMUM_PLANS = 1000;

export function createPlanCache(
  federation: Federation,
  { normalises = true, limits = UNLIMITED }: Partial<Pick<PlanCache, 'normalises' | 'limits'>> = {},
): PlanCache {
  const documents = new LRUCache<string, CachedDocument>({ max: MAXIMUM_DOCUMENTS });
  const plans = new LRUCache<string, PreparedOperation>({ max: MAXIMUM_PLANS });

  function read(key: string, document: DocumentNode, options: PlanOptions): CachedDocument {
    const { document: normalised, literals } = normalises
      ? normaliseLiterals(federation.schema, document)
      : { document, literals: {} };
    const operation = operationOf(normalised, options.operationName);
    const needs = accessNeeds(federation.schema, federation.rulesOf, normalised, operation);
    const source = { schema: federation.schema, rules: federation.costRules, listSize: limits.listSize };
    const cost = compileCost(source, normalised, operation);
    const entry = { document, options, normalised, operation, literals, needs, cost, whole: null };
    documents.set(key, entry);
    return entry;
  }

  function planned(
    { normalised, literals, needs, cost }: CachedDocument,
    options: PlanOptions,
    denied: readonly Need[],
  ) {
    const without = denied.map((need) => needs.indexOf(need)).join();
    const planKey = `${options.operationName ?? ''} ${options.defers} ${without}\n${print(normalised)}`;
    const prepared =
      plans.get(planKey) ?? prepareOperation(federation, normalised, options, new Set(denied.map(({ node }) => node)));
    plans.set(planKey, prepared);
    return { prepared, literals, cost };
  }

  return {
    federation,
    normalises,
    limits,
    used: () => documents.entries(),
    prepare(key, document, options, { caller, variables }) {
      const entry = documents.get(key) ?? read(key, document, options);
      const cost = entry.cost({ ...variables, ...entry.literals });
      if (cost > limits.cost) return { refused: [limitExceeded('cost', cost, limits.cost)] };
      const denied = caller === undefined ? [] : deniedOf(entry.needs, caller);
      if (caller === undefined || denied.length === 0) return (entry.whole ??= planned(entry, entry.options, []));
      for (const need of denied) caller.refused(need.field, need.rules);
      if (entry.operation.operation !== OperationTypeNode.QUERY)
        return { refused: denied.map((need) => refusal(caller, need, need.path)) };
      return planned(entry, { ...entry.options, defers: false }, denied);
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
      cache.prepare(key, document, options, { caller: undefined, variables: {} });
    } catch {
      // Who asks for it again is told why it cannot be planned.
    }
    await setImmediate();
  }
  return cache;
}
