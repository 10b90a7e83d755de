import type { RunRecord } from '../../domain/runs/run-record.ts';
import { isClosed } from '../../domain/runs/run-status.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';
import { readRunOf } from './read-runs.ts';

/** The run as soon as it is closed, or as it is when the time is up. Woken by the feed. */
export async function waitForRun(
  deps: Pick<RunsDeps, 'pool' | 'runChanges'>,
  principal: Principal,
  before: RunRecord,
  waitMs: number,
): Promise<RunRecord> {
  const timeUp = AbortSignal.timeout(waitMs);
  for (;;) {
    // Asked for before the run is read, so that no change falls between.
    const moved = deps.runChanges.next(before.id, timeUp).catch(() => undefined);
    const run = (await readRunOf(deps, principal, before.id)) ?? before;
    if (isClosed(run.status) || timeUp.aborted) return run;
    await moved;
  }
}
