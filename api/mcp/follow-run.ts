import { allow } from '../../domain/access/allow.ts';
import { isClosed } from '../../domain/runs/run-status.ts';
import type { ServedAnswer, ServedCall } from '../../domain/tools/served-tools.ts';
import { AppError } from '../../domain/errors.ts';
import { watchRun } from '../runs/watch-runs.ts';
import { RUN, runAnswer, type ShownRun, standing } from './run-view.ts';
import type { WeftCaller } from './weft-caller.ts';

/** Under the minute after which clients give up on an answer. */
const SILENT_WAIT_MS = 45_000;
/** Whoever hears of progress knows that the call is alive. */
const SHOWN_WAIT_MS = 3_600_000;
/** Clients that count the time since they last heard of it. */
const SIGN_OF_LIFE_MS = 10_000;

/**
 * The run once it has closed, or as it is when nobody waits any more; says meanwhile how it stands. The run itself goes on whoever
 * follows it.
 */
export async function followRun(
  caller: WeftCaller,
  runId: string,
  { signal, progress }: Pick<ServedCall<AbortSignal>, 'signal' | 'progress'>,
  mostMs: number | undefined,
): Promise<ServedAnswer> {
  const timeUp = AbortSignal.timeout(mostMs ?? (progress ? SHOWN_WAIT_MS : SILENT_WAIT_MS));
  const enough = AbortSignal.any([signal, timeUp]);
  if (!allow(caller.principal, 'runs:read')) return { value: { runId } };
  let last = `${runId} is under way`;
  progress?.(last);
  const alive = setInterval(() => progress?.(last), SIGN_OF_LIFE_MS);
  try {
    for await (const { status } of watchRun(caller.deps, caller.principal, { id: runId }, enough)) {
      if (isClosed(status)) break;
      if (!progress) continue;
      last = standing(await readShown(caller, runId));
      progress(last);
    }
  } catch (error) {
    if (!enough.aborted) throw error;
  } finally {
    clearInterval(alive);
  }
  return runAnswer(await readShown(caller, runId));
}

/** @throws NOT_FOUND */
export async function readShown(caller: WeftCaller, runId: string): Promise<ShownRun> {
  const run = await caller.ask(`query ($id: ID!) { run(id: $id) { ${RUN} } }`, { id: runId });
  if (run === null || run === undefined) throw new AppError('NOT_FOUND', { what: 'Run', id: runId });
  return run as ShownRun;
}
