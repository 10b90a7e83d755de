import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, isGrpcServiceError } from '@temporalio/client';
import type pg from 'pg';
import type { Logger } from 'pino';
import {
  markChecked,
  type Orphan,
  orphanedRuns,
  readUnstartedRun,
  type UncheckedRun,
  uncheckedRuns,
  unknownLinks,
  unknownRuns,
} from '../adapters/postgres/open-runs.ts';
import { moveWatermark, readWatermark } from '../adapters/postgres/feed-watermarks.ts';
import { AppError } from '../domain/errors.ts';
import { RUN_WORKFLOW_TYPE } from '../domain/runs/messages.ts';
import type { RunRecord } from '../domain/runs/run-record.ts';
import { historyRetentionMs } from '../temporal/held-payloads.ts';
import type { TenantNamespaces } from '../temporal/tenant-namespaces.ts';
import type { FollowRequest } from './follow-run.ts';
import type { Followers } from './projector-followers.ts';
import type { ProjectorMetrics } from './projector-metrics.ts';

export type StartRun = (run: RunRecord) => Promise<void>;
export type CancelRun = (run: Orphan, reason: string) => Promise<void>;
export type ReconcilerDeps = {
  pool: pg.Pool;
  connection: Connection;
  namespaces: TenantNamespaces;
  workflowQueues: readonly string[];
  /** The shards of this process, as they are at the moment. */
  owned: ReadonlySet<number>;
  follow: Followers['follow'];
  adopt: (runId: string) => Promise<boolean>;
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
const RETENTION_KNOWN_MS = 600_000;
const BEHIND = { backlog: true };

/** Finds what hints missed. It never writes itself: it asks for runs to be followed or started. */
export function createReconciler(deps: ReconcilerDeps): { stop: () => Promise<void> } {
  const abort = new AbortController();
  const pace = pacer(1_000 / REQUESTS_A_SECOND, abort.signal);
  const retentionOf = rememberRetention(deps.connection);
  const round = async () => {
    if (deps.owned.size === 0) return;
    await checkOpenRuns(deps, pace, retentionOf, abort.signal);
    for (const namespace of deps.namespaces.all) await checkNamespace(deps, namespace, pace, abort.signal);
    await endOrphans(deps, pace);
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

type Pace = () => Promise<void>;
type RetentionOf = (namespace: string) => Promise<number>;

async function checkOpenRuns(
  deps: ReconcilerDeps,
  pace: Pace,
  retentionOf: RetentionOf,
  signal: AbortSignal,
): Promise<void> {
  const limit = Math.ceil((deps.reconcileIntervalMs / 1_000) * REQUESTS_A_SECOND);
  const quietMs = deps.reconcileIntervalMs;
  const runs = await uncheckedRuns(deps.pool, { shards: [...deps.owned], quietMs, limit });
  for (const run of runs) {
    await pace();
    if (signal.aborted) return;
    await checkRun(deps, run, retentionOf);
    await markChecked(deps.pool, [run.runId]);
  }
}

/** A subworkflow outlives the links of its parent, and so would outlive the parent itself. */
async function endOrphans(deps: ReconcilerDeps, pace: Pace): Promise<void> {
  for (const orphan of await orphanedRuns(deps.pool, [...deps.owned], MOST_ORPHANS)) {
    await pace();
    deps.log.info(orphan, 'cancelling a run whose parent is closed');
    await deps.cancelRun(orphan, 'Its parent run is closed').catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error;
    });
    deps.follow({ runId: orphan.runId });
  }
}

async function checkRun(deps: ReconcilerDeps, run: UncheckedRun, retentionOf: RetentionOf): Promise<void> {
  const { connection, metrics } = deps;
  const namespace = deps.namespaces.of(run.tenantId);
  const found = await connection.workflowService
    .describeWorkflowExecution({ namespace, execution: { workflowId: run.runId } })
    .catch((error: unknown) => {
      if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return undefined;
      throw error;
    });
  const info = found?.workflowExecutionInfo;
  if (!info) {
    // A namespace that is missing as a whole says NOT_FOUND too; asking for its retention tells.
    const retention = await retentionOf(namespace);
    // Whoever could have run and been deleted since must not run twice.
    const maybeDone = !run.admitted && run.ageMs >= retention;
    if (run.version === 0 && !maybeDone) return startLeftBehind(deps, run);
    metrics.reconciled.inc();
    deps.follow({ runId: run.runId, gone: true }, BEHIND);
    return;
  }
  if (info.execution?.runId === run.temporalRunId && Number(info.historyLength) <= run.version) {
    return;
  }
  metrics.reconciled.inc();
  deps.follow(followingOf(run, info.execution?.runId), BEHIND);
}

async function startLeftBehind(deps: ReconcilerDeps, run: UncheckedRun): Promise<void> {
  if (run.ageMs < ABANDONED_MS) return;
  const record = await readUnstartedRun(deps.pool, run);
  if (!record) return;
  deps.log.info({ runId: run.runId }, 'starting a run that was left behind');
  await deps.startRun(record);
  deps.follow({ runId: run.runId });
}

function rememberRetention(connection: Connection): RetentionOf {
  const known = new Map<string, { ms: number; until: number }>();
  return async (namespace) => {
    const remembered = known.get(namespace);
    if (remembered && remembered.until > Date.now()) return remembered.ms;
    const ms = (await historyRetentionMs(connection, namespace)) || Infinity;
    known.set(namespace, { ms, until: Date.now() + RETENTION_KNOWN_MS });
    return ms;
  };
}

/** A first link is found by reading; any later one is named, since nothing in the history before it tells of a reset. */
function followingOf({ runId, temporalRunId }: UncheckedRun, latest: string | null | undefined): FollowRequest {
  return temporalRunId !== null && latest && latest !== temporalRunId ? { runId, temporalRunId: latest } : { runId };
}

/** Where it left off, by the watermark of the shards that this process has. */
async function checkNamespace(deps: ReconcilerDeps, namespace: string, pace: Pace, signal: AbortSignal): Promise<void> {
  const shards = [...deps.owned];
  const started = Date.now();
  const since = (await readWatermark(deps.pool, namespace, shards))?.getTime() ?? started - OVERLAP_MS;
  await checkListedRuns(deps, namespace, pace, { shards, sinceMs: since - OVERLAP_MS }, signal);
  if (!signal.aborted) await moveWatermark(deps.pool, namespace, shards, new Date(started));
}

type Looking = { shards: readonly number[]; sinceMs: number };

/** Workflows that were started or closed lately and that the store has not seen to their end, or not at all. */
async function checkListedRuns(
  deps: ReconcilerDeps,
  namespace: string,
  pace: Pace,
  { shards, sinceMs }: Looking,
  signal: AbortSignal,
): Promise<void> {
  const since = new Date(sinceMs).toISOString();
  const queues = deps.workflowQueues.map((queue) => `'${queue}'`).join(', ');
  const query = `(WorkflowType = '${RUN_WORKFLOW_TYPE}' OR TaskQueue IN (${queues})) AND (CloseTime >= '${since}' OR StartTime >= '${since}')`;
  let nextPageToken: Uint8Array | null | undefined = new Uint8Array();
  do {
    await pace();
    const page: Awaited<ReturnType<Connection['workflowService']['listWorkflowExecutions']>> =
      await deps.connection.workflowService.listWorkflowExecutions({
        namespace,
        pageSize: LIST_PAGE,
        query,
        nextPageToken,
      });
    const links = (page.executions ?? []).map(({ execution, closeTime }) => ({
      runId: execution?.workflowId ?? '',
      temporalRunId: execution?.runId ?? '',
      closedAt: closeTime ? new Date(Number(closeTime.seconds) * 1_000 + (closeTime.nanos ?? 0) / 1e6) : null,
    }));
    const strange = await unknownRuns(
      deps.pool,
      shards,
      links.map((link) => link.runId),
    );
    for (const runId of strange) {
      await pace();
      if (signal.aborted) return;
      if (await deps.adopt(runId)) deps.follow({ runId }, BEHIND);
    }
    for (const link of await unknownLinks(deps.pool, shards, links)) {
      deps.metrics.reconciled.inc();
      deps.follow(link, BEHIND);
    }
    ({ nextPageToken } = page);
  } while (nextPageToken?.length && !signal.aborted);
}

function pacer(everyMs: number, signal: AbortSignal): Pace {
  let next = 0;
  return async () => {
    const wait = next - Date.now();
    next = Math.max(next, Date.now()) + everyMs;
    if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => undefined);
  };
}
