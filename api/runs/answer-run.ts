import { setTimeout as sleep } from 'node:timers/promises';
import { closeUnstarted } from '../../adapters/postgres/close-unstarted.ts';
import { listNodeExecutions, MOST_EXECUTIONS } from '../../adapters/postgres/node-store.ts';
import { AppError } from '../../domain/errors.ts';
import { quorumOf } from '../../domain/runs/approval.ts';
import type { Json } from '../../domain/json.ts';
import { APPROVE_UPDATE, type ApproveArguments } from '../../domain/runs/messages.ts';
import type { ApprovalDecision } from '../../domain/runs/run-event.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import { isClosed } from '../../domain/runs/run-status.ts';
import { cancelRunWorkflow, terminateRunWorkflow, updateRun } from '../../temporal/run-commands.ts';
import { decidingSubject, type Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';
import { checkSize, ensureStarted } from './execute-workflow.ts';
import { readRunOf } from './read-runs.ts';

export type Approve = {
  runId: string;
  nodeId: string;
  /** Which execution; default is the only one that waits. */
  path?: string | null | undefined;
  /** On whose behalf; default is whoever asks. */
  decidedBy?: string | null | undefined;
  decision: ApprovalDecision;
  comment?: string | null | undefined;
  data?: Json | undefined;
};

/** How long an answer waits for the read model to show what it did. */
const CATCH_UP_MS = 2000;
const CATCH_UP_POLL_MS = 20;

/** @throws NOT_FOUND, NOT_WAITING, RUN_CLOSED, PAYLOAD_TOO_LARGE */
export async function approve(deps: RunsDeps, principal: Principal, request: Approve): Promise<RunRecord> {
  const { nodeId, path = null, decision, comment = null, data = null, decidedBy } = request;
  checkSize(deps, data, 'The data of the answer');
  const run = await openRun(deps, principal, request.runId);
  await ensureStarted(deps, run);
  const answer = { nodeId, iteration: path, decision, comment, data, decidedBy: decidingSubject(principal, decidedBy) };
  await updateRun(deps.temporal, run.id, APPROVE_UPDATE, answer satisfies ApproveArguments);
  deps.log.info({ runId: run.id, nodeId, decision }, 'approval answered');
  return caughtUp(deps, principal, run, async ({ eventCount }) => {
    const nodes = await listNodeExecutions(deps.pool, run.id, { nodeId, first: MOST_EXECUTIONS });
    const several = nodes.some((node) => node.status === 'WAITING' && quorumOf(node.input) > 1);
    const partly = several && eventCount > run.eventCount;
    return partly || nodes.some((node) => node.status !== 'WAITING' && node.status !== 'PENDING');
  });
}

type Close = (deps: RunsDeps, principal: Principal, runId: string, reason: string | null) => Promise<RunRecord>;

/** Gives the run as it was, unless it could be closed at once. @throws NOT_FOUND, RUN_CLOSED */
export const askToCancel: Close = askBy(cancelRunWorkflow, 'run.cancelled', 'run asked to stop');

/** As askToCancel. @throws NOT_FOUND, RUN_CLOSED */
export const askToTerminate: Close = askBy(terminateRunWorkflow, 'run.terminated', 'run terminated');

/** @throws NOT_FOUND, RUN_CLOSED */
export const cancelRun: Close = closeBy(askToCancel);

/** @throws NOT_FOUND, RUN_CLOSED */
export const terminateRun: Close = closeBy(askToTerminate);

function askBy(close: typeof cancelRunWorkflow, type: 'run.cancelled' | 'run.terminated', done: string): Close {
  return async (deps, principal, runId, reason) => {
    const run = await openRun(deps, principal, runId);
    if (run.status === 'PENDING' && (await closeUnstarted(deps.pool, run.id, { type, reason }))) {
      deps.log.info({ runId: run.id, reason }, 'run closed before it started');
      return (await readRunOf(deps, principal, runId)) ?? run;
    }
    await ensureStarted(deps, run);
    await close(deps.temporal, run.id, reason);
    deps.hint(run.id);
    deps.log.info({ runId: run.id, reason }, done);
    return run;
  };
}

function closeBy(ask: Close): Close {
  return async (deps, principal, runId, reason) => {
    const run = await ask(deps, principal, runId, reason);
    return isClosed(run.status) ? run : caughtUp(deps, principal, run, () => false);
  };
}

export async function openRun(deps: RunsDeps, principal: Principal, runId: string): Promise<RunRecord> {
  const run = await readRunOf(deps, principal, runId);
  if (!run) throw new AppError('NOT_FOUND', { what: 'Run', id: runId });
  if (isClosed(run.status)) throw new AppError('RUN_CLOSED', { runId, runStatus: run.status });
  return run;
}

/** The run as soon as it is closed or `seen` holds, or as it is when the time is up. */
export async function caughtUp(
  deps: RunsDeps,
  principal: Principal,
  before: RunRecord,
  seen: (run: RunRecord) => boolean | Promise<boolean>,
): Promise<RunRecord> {
  const deadline = performance.now() + CATCH_UP_MS;
  deps.hint(before.id);
  for (;;) {
    const late = performance.now() >= deadline;
    const run = (await readRunOf(deps, principal, before.id)) ?? before;
    if (late || isClosed(run.status) || (await seen(run))) return run;
    await sleep(CATCH_UP_POLL_MS);
  }
}
