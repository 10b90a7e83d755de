import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Federation } from './federation.ts';
import { type PreparedOperation, prepareOperation } from './prepare-operation.ts';

type Entry = { document: DocumentNode; operationName: string | undefined; prepared: PreparedOperation };

/** The plans of one supergraph; `key` stands for a document. */
export type PlanCache = {
  federation: Federation;
  prepare: (key: string, document: DocumentNode, operationName: string | undefined) => PreparedOperation;
  /** What was used, latest first. */
  used: () => Iterable<readonly [key: string, entry: Entry]>;
};

const MAXIMUM_PLANS = 2000;

export function createPlanCache(federation: Federation): PlanCache {
  const entries = new LRUCache<string, Entry>({ max: MAXIMUM_PLANS });
  return {
    federation,
    used: () => entries.entries(),
    prepare(key, document, operationName) {
      const known = entries.get(key);
      if (known !== undefined) return known.prepared;
      const prepared = prepareOperation(federation, document, operationName);
      entries.set(key, { document, operationName, prepared });
      return prepared;
    },
  };
}
