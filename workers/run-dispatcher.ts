import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import type pg from 'pg';
import type { Logger } from 'pino';
import { type Pass, passAdmissions } from '../adapters/postgres/admission-pass.ts';
import {
  markStarted,
  nextDueMs,
  readDropped,
  readNamedRuns,
  takeLeaving,
  takeUnstarted,
  tenantsWithNews,
} from '../adapters/postgres/admissions.ts';
import { closeDropped, closeUnstarted } from '../adapters/postgres/close-unstarted.ts';
import { listenTo } from '../adapters/postgres/listen-to.ts';
import { ADMISSION_CHANNEL } from '../adapters/postgres/release-leases.ts';
import { chargeTenantTurn, readTenantTurns } from '../adapters/postgres/tenant-turn-store.ts';
import { AppError } from '../domain/errors.ts';
import { NO_TURNS } from '../domain/runs/flow-control/fair-turns.ts';
import { nextTenant, type TenantWeights, weightOfTenant } from '../domain/runs/flow-control/tenant-turns.ts';
import { toRunError } from '../domain/runs/run-error.ts';
import type { RunRecord } from '../domain/runs/run-record.ts';
import type { DispatcherMetrics } from './dispatcher-metrics.ts';

export type RunDispatcherOptions = {
  databaseUrl: string;
  pool: pg.Pool;
  /** Idempotent. */
  startRun: (run: RunRecord) => Promise<void>;
  /** Idempotent. */
  cancelRun: (run: RunRecord, reason: string) => Promise<void>;
  /** Tells the projectors that a run has new history. */
  hint: (runId: string) => void;
  tenantWeights: TenantWeights;
  metrics: DispatcherMetrics;
  log: Logger;
};
export type RunDispatcher = { stop: () => Promise<void> };

/** A NOTIFY is lost with its connection, so everything is also looked for. */
const POLL_MS = 1_000;
/** Runs admitted in one turn of a tenant. */
const TURN = { alone: 100, amongOthers: 25 } as const;
const TURNS_A_ROUND = 20;
/** A pass takes milliseconds. Whoever skips a tenant because another process is at it would give its turn away. */
const LOCKED = { tries: 20, pauseMs: 5 } as const;
const MOST_STARTS = 32;
/** Whoever admitted a run starts it at once; after this it is anybody's. */
const START_AGAIN_MS = 5_000;
const ASK_AGAIN_MS = 15_000;
const INVALID_ARGUMENT = 3;

/**
 * Admits the runs that wait and starts them. Any number of processes do it together: one at a time for each tenant, and whatever
 * one leaves half done when it dies, another finishes.
 */
export function startRunDispatcher(options: RunDispatcherOptions): RunDispatcher {
  const { databaseUrl, log } = options;
  const stopping = new AbortController();
  let wake = new AbortController();
  const listener = listenTo(databaseUrl, ADMISSION_CHANNEL, {
    onNotification: () => wake.abort(),
    onLost: (error) => log.warn({ err: error }, 'the dispatcher lost the connection that wakes it'),
  });
  const starts = createStarts(options);
  const loop = async () => {
    while (!stopping.signal.aborted) {
      wake = new AbortController();
      const waitMs = await round(options, starts, stopping.signal).catch((error: unknown) => {
        log.warn({ err: error }, 'a round of the dispatcher failed');
        return POLL_MS;
      });
      const signal = AbortSignal.any([wake.signal, stopping.signal]);
      if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    async stop() {
      stopping.abort();
      await running;
      await starts.idle();
      await listener.close();
    },
  };
}

/** Gives for how long nothing is due. */
async function round(options: RunDispatcherOptions, starts: Starts, signal: AbortSignal): Promise<number> {
  const { pool } = options;
  const more = await admitInTurns(options, starts, signal);
  if (signal.aborted) return 0;
  for (const run of await takeUnstarted(pool, START_AGAIN_MS)) await starts.add(run);
  for (const { id } of await readDropped(pool)) await closeDropped(pool, id);
  for (const run of await takeLeaving(pool, ASK_AGAIN_MS)) await askToLeave(options, run);
  if (more) return 0;
  const due = await nextDueMs(pool);
  return due === null ? POLL_MS : Math.min(POLL_MS, Math.max(5, due));
}

/** Tells whether somebody has more to admit. */
async function admitInTurns(options: RunDispatcherOptions, starts: Starts, signal: AbortSignal): Promise<boolean> {
  const { pool, tenantWeights, metrics } = options;
  let waiting = await tenantsWithNews(pool);
  for (let left = waiting.length > 1 ? TURNS_A_ROUND : 1; left > 0 && waiting.length > 0; left -= 1) {
    if (signal.aborted) return true;
    const among = waiting.length > 1;
    const turns = among ? await readTenantTurns(pool, waiting) : NO_TURNS;
    const tenantId = nextTenant(waiting, turns) as string;
    const pass = await passWhenFree(pool, tenantId, among ? TURN.amongOthers : TURN.alone);
    if (among && pass) {
      const weight = weightOfTenant(tenantWeights, tenantId);
      await chargeTenantTurn(pool, turns, tenantId, { weight, runs: pass.admitted.length });
    }
    metrics.admitted.inc(pass?.admitted.length ?? 0);
    for (const run of await readNamedRuns(pool, tenantId, pass?.admitted ?? [])) await starts.add(run);
    if (!pass?.more) waiting = waiting.filter((other) => other !== tenantId);
  }
  return waiting.length > 0;
}

async function passWhenFree(pool: pg.Pool, tenantId: string, most: number): Promise<Pass | undefined> {
  for (let tries = 1; tries < LOCKED.tries; tries += 1) {
    const pass = await passAdmissions(pool, tenantId, most);
    if (pass) return pass;
    await sleep(LOCKED.pauseMs);
  }
  return passAdmissions(pool, tenantId, most);
}

type Starts = { add(run: RunRecord): Promise<void>; idle(): Promise<void> };

/** So many at once; `add` waits for room. */
function createStarts(options: RunDispatcherOptions): Starts {
  const active = new Set<Promise<void>>();
  return {
    async add(run) {
      while (active.size >= MOST_STARTS) await Promise.race(active);
      const start: Promise<void> = startAdmitted(options, run).finally(() => active.delete(start));
      active.add(start);
    },
    async idle() {
      await Promise.all(active);
    },
  };
}

async function startAdmitted({ pool, startRun, hint, log }: RunDispatcherOptions, run: RunRecord): Promise<void> {
  try {
    await startRun(run);
    await markStarted(pool, [run.id]);
    hint(run.id);
    log.info({ runId: run.id, workflowId: run.workflowId }, 'run admitted and started');
  } catch (error) {
    if (!isRefused(error)) {
      log.warn({ err: error, runId: run.id }, 'starting an admitted run failed; it will be tried again');
      return;
    }
    log.error({ err: error, runId: run.id }, 'an admitted run cannot be started');
    await closeUnstarted(
      pool,
      run.id,
      { type: 'run.failed', error: toRunError(error, null) },
      { evenAdmitted: true },
    ).catch((failure: unknown) => log.warn({ err: failure, runId: run.id }, 'closing a refused run failed'));
  }
}

/** Trying again would give the same answer. */
function isRefused(error: unknown): boolean {
  if (error instanceof AppError) return !error.retryable;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause)) return Number(cause.code) === INVALID_ARGUMENT;
  }
  return false;
}

/** A run that ends meanwhile needs no asking: its lease goes with its end. */
async function askToLeave({ pool, cancelRun, hint, log }: RunDispatcherOptions, run: RunRecord): Promise<void> {
  const reason = 'a newer run takes its place';
  try {
    if (await closeUnstarted(pool, run.id, { type: 'run.cancelled', reason })) return;
    await cancelRun(run, reason);
  } catch (error) {
    log.info({ err: error, runId: run.id }, 'a run that has to make room could not be asked');
  }
  hint(run.id);
}
