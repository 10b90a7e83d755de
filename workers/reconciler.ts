import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, isGrpcServiceError } from '@temporalio/client';
import type pg from 'pg';
import type { Logger } from 'pino';
import {
  markChecked,
  orphanedRuns,
  readUnstartedRun,
  type UncheckedRun,
  uncheckedRuns,
  unknownLinks,
} from '../adapters/postgres/open-runs.ts';
import { AppError } from '../domain/errors.ts';
import type { RunId } from '../domain/identifiers.ts';
import { RUN_WORKFLOW_TYPE } from '../domain/runs/messages.ts';
import type { RunRecord } from '../domain/runs/run-record.ts';
import type { FollowRequest } from './projector-followers.ts';
import type { ProjectorMetrics } from './projector-metrics.ts';

export type StartRun = (run: RunRecord) => Promise<void>;
export type CancelRun = (runId: RunId, reason: string) => Promise<void>;
export type ReconcilerDeps = {
  pool: pg.Pool;
  connection: Connection;
  namespace: string;
  /** The shards of this process, as they are at the moment. */
  owned: ReadonlySet<number>;
  follow: (request: FollowRequest) => void;
  startRun: StartRun;
  cancelRun: CancelRun;
  reconcileIntervalMs: number;
  metrics: ProjectorMetrics;
  log: Logger;
};

/** Temporal's own limit on visibility queries is of this size, and Describe shares the frontend with real work. */
const REQUESTS_A_SECOND = 10;
/** A run row this old without a workflow was left behind by whoever inserted it. */
const ABANDONED_MS = 10_000;
/** Visibility lags behind history; what was listed just before is listed once more. */
const OVERLAP_MS = 60_000;
const LIST_PAGE = 1_000;
const MOST_ORPHANS = 100;
const NOT_FOUND = 5;

/** Finds what hints missed. It never writes itself: it asks for runs to be followed or started. */
export function createReconciler(deps: ReconcilerDeps): { stop: () => Promise<void> } {
  const abort = new AbortController();
  const pace = pacer(1_000 / REQUESTS_A_SECOND, abort.signal);
  let watermark = Date.now() - OVERLAP_MS;
  const round = async () => {
    if (deps.owned.size === 0) return;
    const started = Date.now();
    await checkOpenRuns(deps, pace, abort.signal);
    await checkListedRuns(deps, pace, watermark - OVERLAP_MS);
    await endOrphans(deps, pace);
    watermark = started;
  };
  const loop = async () => {
    while (!abort.signal.aborted) {
      try {
        await round();
      } catch (error) {
        if (!abort.signal.aborted) deps.log.warn({ err: error }, 'a reconciling round failed');
      }
      await sleep(deps.reconcileIntervalMs, undefined, { signal: abort.signal }).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    async stop() {
      abort.abort();
      await running;
    },
  };
}

async function checkOpenRuns(deps: ReconcilerDeps, pace: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const limit = Math.ceil((deps.reconcileIntervalMs / 1_000) * REQUESTS_A_SECOND);
  const quietMs = deps.reconcileIntervalMs;
  const runs = await uncheckedRuns(deps.pool, { shards: [...deps.owned], quietMs, limit });
  for (const run of runs) {
    await pace();
    if (signal.aborted) return;
    await checkRun(deps, run);
    await markChecked(deps.pool, [run.runId]);
  }
}

/** A subworkflow outlives the links of its parent, and so would outlive the parent itself. */
async function endOrphans(deps: ReconcilerDeps, pace: () => Promise<void>): Promise<void> {
  for (const orphan of await orphanedRuns(deps.pool, [...deps.owned], MOST_ORPHANS)) {
    await pace();
    deps.log.info({ runId: orphan }, 'cancelling a run whose parent is closed');
    await deps.cancelRun(orphan, 'Its parent run is closed').catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error;
    });
    deps.follow({ runId: orphan });
  }
}

async function checkRun(deps: ReconcilerDeps, run: UncheckedRun): Promise<void> {
  const { connection, namespace, metrics, log } = deps;
  const found = await connection.workflowService
    .describeWorkflowExecution({ namespace, execution: { workflowId: run.runId } })
    .catch((error: unknown) => {
      if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return undefined;
      throw error;
    });
  const info = found?.workflowExecutionInfo;
  if (!info) {
    if (run.version > 0 || run.ageMs < ABANDONED_MS) return;
    const record = await readUnstartedRun(deps.pool, run);
    if (!record) return;
    log.info({ runId: run.runId }, 'starting a run that was left behind');
    await deps.startRun(record);
  } else if (info.execution?.runId === run.temporalRunId && Number(info.historyLength) <= run.version) {
    return;
  }
  metrics.reconciled.inc();
  deps.follow(followingOf(run, info?.execution?.runId));
}

/** A first link is found by reading; any later one is named, since nothing in the history before it tells of a reset. */
function followingOf({ runId, temporalRunId }: UncheckedRun, latest: string | null | undefined): FollowRequest {
  return temporalRunId !== null && latest && latest !== temporalRunId ? { runId, temporalRunId: latest } : { runId };
}

/** Workflows that were started or closed lately and that the store has not seen to their end. */
async function checkListedRuns(deps: ReconcilerDeps, pace: () => Promise<void>, sinceMs: number): Promise<void> {
  const since = new Date(sinceMs).toISOString();
  const query = `WorkflowType = '${RUN_WORKFLOW_TYPE}' AND (CloseTime >= '${since}' OR StartTime >= '${since}')`;
  let nextPageToken: Uint8Array | null | undefined = new Uint8Array();
  do {
    await pace();
    const page: Awaited<ReturnType<Connection['workflowService']['listWorkflowExecutions']>> =
      await deps.connection.workflowService.listWorkflowExecutions({
        namespace: deps.namespace,
        pageSize: LIST_PAGE,
        query,
        nextPageToken,
      });
    const links = (page.executions ?? []).map(({ execution, closeTime }) => ({
      runId: execution?.workflowId ?? '',
      temporalRunId: execution?.runId ?? '',
      closedAt: closeTime ? new Date(Number(closeTime.seconds) * 1_000 + (closeTime.nanos ?? 0) / 1e6) : null,
    }));
    for (const link of await unknownLinks(deps.pool, [...deps.owned], links)) {
      deps.metrics.reconciled.inc();
      deps.follow(link);
    }
    ({ nextPageToken } = page);
  } while (nextPageToken?.length);
}

function pacer(everyMs: number, signal: AbortSignal): () => Promise<void> {
  let next = 0;
  return async () => {
    const wait = next - Date.now();
    next = Math.max(next, Date.now()) + everyMs;
    if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => undefined);
  };
}
