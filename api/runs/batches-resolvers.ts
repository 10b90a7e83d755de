import type { BatchRecord } from '../../domain/runs/batches/batch.ts';
import { cancelBatch, listBatchesOf, listErrorsOf, readBatchOf, startBatch, type StartBatch } from './batches.ts';
import type { RunsDeps } from './deps.ts';
import type { PageArguments } from './read-runs.ts';
import type { RunsContext } from './resolvers.ts';

export function batchesResolvers(deps: RunsDeps) {
  return {
    Query: {
      batch: (_: unknown, { id }: { id: string }, { principal }: RunsContext) => readBatchOf(deps, principal, id),
      batches: (_: unknown, page: PageArguments, { principal }: RunsContext) => listBatchesOf(deps, principal, page),
    },
    Mutation: {
      startBatch: (_: unknown, request: StartBatch, { principal }: RunsContext) => startBatch(deps, principal, request),
      cancelBatch: (_: unknown, { id }: { id: string }, { principal }: RunsContext) => cancelBatch(deps, principal, id),
    },
    Batch: {
      errors: (batch: BatchRecord, page: PageArguments) => listErrorsOf(deps, batch, page),
    },
  };
}
