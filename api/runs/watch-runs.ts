import type { RunStoredEvent } from '../../adapters/postgres/event-store.ts';
import { readRuns } from '../../adapters/postgres/run-store.ts';
import { AppError } from '../../domain/errors.ts';
import { runId as asRunId } from '../../domain/identifiers.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import { isClosed, type RunStatus } from '../../domain/runs/run-status.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { listRunEvents, readRunOf } from './read-runs.ts';

type Watching = Pick<RunsDeps, 'pool' | 'runChanges'>;
export type WatchRunEvents = { runId: string; after?: number | null };
export type WatchRuns = { status?: readonly RunStatus[] | null; workflowId?: string | null };

/** How many events are read at once. */
const PAGE = 500;
/** A run whose last notice was lost is looked at again after so long. */
const LOOK_AGAIN_MS = 15_000;

/** The run now and each time that it has moved, until it is closed. @throws NOT_FOUND */
export async function* watchRun(
  deps: Watching,
  principal: Principal,
  { id }: { id: string },
  signal: AbortSignal,
): AsyncGenerator<RunRecord> {
  for (;;) {
    const moved = nextMove(deps, id, signal);
    const run = await readRunOf(deps, principal, id);
    if (run === undefined) throw new AppError('NOT_FOUND', { what: 'run', id });
    yield run;
    if (isClosed(run.status)) return;
    await moved();
  }
}

/** The events of a run after one of them, old and new, each once and in order. @throws NOT_FOUND, INPUT_INVALID */
export async function* watchRunEvents(
  deps: Watching,
  principal: Principal,
  { runId, after }: WatchRunEvents,
  signal: AbortSignal,
): AsyncGenerator<RunStoredEvent> {
  let last = after ?? 0;
  if (last < 0) throw argumentInvalid('after', 'is below 0');
  for (;;) {
    const moved = nextMove(deps, runId, signal);
    // Read before its events: what is closed has no later ones than those read next.
    const run = await readRunOf(deps, principal, runId);
    if (run === undefined) throw new AppError('NOT_FOUND', { what: 'run', id: runId });
    const events = await listRunEvents(deps, run.id, { after: last, first: PAGE });
    for (const event of events) {
      yield event;
      last = event.sequence;
    }
    if (events.length === PAGE) continue;
    if (isClosed(run.status)) return;
    await moved();
  }
}

/** Runs of the tenant that move from now on and fit. */
export async function* watchRuns(
  deps: Watching,
  principal: Principal,
  { status, workflowId }: WatchRuns,
  signal: AbortSignal,
): AsyncGenerator<RunRecord> {
  const watch = deps.runChanges.watch();
  try {
    for (;;) {
      const moved = await watch.next(signal);
      for (const run of await readRuns(deps.pool, principal.tenantId, moved.map(asRunId))) {
        if (status && !status.includes(run.status)) continue;
        if (workflowId != null && run.workflowId !== workflowId) continue;
        yield run;
      }
    }
  } finally {
    watch.close();
  }
}

/** Heard from when it is called; what it gives waits for it. */
function nextMove({ runChanges }: Watching, runId: string, signal: AbortSignal): () => Promise<void> {
  const waiting = AbortSignal.any([signal, AbortSignal.timeout(LOOK_AGAIN_MS)]);
  const moved = runChanges.next(runId, waiting).catch(() => signal.throwIfAborted());
  moved.catch(() => undefined);
  return () => moved;
}
