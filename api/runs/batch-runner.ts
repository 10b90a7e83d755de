import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BatchOutcome,
  claimBatch,
  settleBatchRuns,
  takeBatchRuns,
  type TakenRun,
} from '../../adapters/postgres/batch-store.ts';
import { AppError, type ErrorCode } from '../../domain/errors.ts';
import type { BatchOperation, BatchRecord } from '../../domain/runs/batches/batch.ts';
import type { Principal } from '../access/principal.ts';
import { toAppError } from '../graphql/to-app-error.ts';

/** Does an operation to one run. */
export type BatchAct = (
  principal: Principal,
  runId: string,
  batch: Pick<BatchRecord, 'id' | 'reason' | 'migration' | 'whatIf'>,
) => Promise<void>;
export type BatchRunnerOptions = {
  pool: Parameters<typeof claimBatch>[0];
  acts: Readonly<Record<BatchOperation, BatchAct>>;
  /** Runs a second. */
  rate: number;
  log: { info: (fields: object, message: string) => void; warn: (fields: object, message: string) => void };
};
export type BatchRunner = { wake: () => void; stop: () => Promise<void> };

/** What a run answers whose operation was done before by a process that died before it could say so. */
const DONE_BEFORE: Readonly<Record<BatchOperation, ErrorCode>> = {
  CANCEL: 'RUN_CLOSED',
  TERMINATE: 'RUN_CLOSED',
  PAUSE: 'RUN_CLOSED',
  RESUME: 'NOT_PAUSED',
  RETRY: 'NOT_RETRYABLE',
  MIGRATE: 'RUN_CLOSED',
  COUNTERFACTUAL: 'RUN_CLOSED',
};
const UNAVAILABLE: ReadonlySet<ErrorCode> = new Set(['TEMPORAL_UNAVAILABLE', 'DATABASE_UNAVAILABLE']);
const CLAIM_MS = 10_000;
const IDLE_MS = 1_000;
const CHUNK_MS = 500;

/** Works off the batches, one at a time; any number of processes do it, each batch in one of them. */
export function startBatchRunner(options: BatchRunnerOptions): BatchRunner {
  const stopping = new AbortController();
  let wake = new AbortController();
  const loop = async () => {
    while (!stopping.signal.aborted) {
      wake = new AbortController();
      const worked = await workOnBatch(options, stopping.signal).catch((error: unknown) => {
        options.log.warn({ err: error }, 'working on a batch failed; it will go on');
        return false;
      });
      const signal = AbortSignal.any([wake.signal, stopping.signal]);
      if (!worked) await sleep(IDLE_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    wake: () => wake.abort(),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function workOnBatch(options: BatchRunnerOptions, signal: AbortSignal): Promise<boolean> {
  const { pool, rate, log } = options;
  const batch = await claimBatch(pool, CLAIM_MS);
  if (!batch) return false;
  const most = Math.max(1, Math.round((rate * CHUNK_MS) / 1_000));
  while (!signal.aborted) {
    const began = performance.now();
    const taken = await takeBatchRuns(pool, batch.id, { most, claimMs: CLAIM_MS });
    if (taken === undefined) return true;
    const outcomes = await actOnAll(options, batch, taken);
    const goesOn = await settleBatchRuns(pool, batch.id, outcomes);
    if (!goesOn) {
      log.info({ batchId: batch.id }, 'batch ended');
      return true;
    }
    const pause = (taken.length * 1_000) / rate - (performance.now() - began);
    await sleep(Math.max(0, outcomes.length < taken.length ? IDLE_MS : pause), undefined, { signal }).catch(
      () => undefined,
    );
  }
  return true;
}

/** Runs whose operation met a server that is away are left out: their turn comes again. */
async function actOnAll(
  { acts, log }: BatchRunnerOptions,
  batch: BatchRecord,
  taken: readonly TakenRun[],
): Promise<BatchOutcome[]> {
  const { tenantId, createdBy: subject, operation } = batch;
  const outcomes = await Promise.all(
    taken.map(async ({ runId, repeated }): Promise<BatchOutcome | null> => {
      try {
        await acts[operation]({ tenantId, subject }, runId, batch);
        return { runId, error: null };
      } catch (cause) {
        const error = toAppError(cause) ?? new AppError('INTERNAL', {}, cause);
        if (UNAVAILABLE.has(error.code)) return null;
        if (repeated && error.code === DONE_BEFORE[operation]) return { runId, error: null };
        if (error.code === 'INTERNAL')
          log.warn({ err: cause, runId, batchId: batch.id }, 'an operation of a batch failed');
        return { runId, error: { code: error.code, message: error.message } };
      }
    }),
  );
  return outcomes.filter((outcome) => outcome !== null);
}
