import { listNodeExecutions, MOST_EXECUTIONS } from '../../adapters/postgres/node-store.ts';
import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import { activityId } from '../../domain/runs/activity-id.ts';
import {
  type NodeArguments,
  PAUSE_UPDATE,
  type PauseArguments,
  RESUME_UPDATE,
  type ResumeArguments,
  RETRY_UPDATE,
  SET_VARIABLE_UPDATE,
  type SetVariableArguments,
  SKIP_UPDATE,
  type SkipArguments,
} from '../../domain/runs/messages.ts';
import { nodeTypeRow, isNodeType } from '../../domain/runs/node-types.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import { retryActivityNow, stopActivity, updateRun } from '../../temporal/run-commands.ts';
import type { Principal } from '../access/principal.ts';
import { caughtUp, openRun } from './answer-run.ts';
import type { RunsDeps } from './deps.ts';
import { checkSize, ensureStarted } from './execute-workflow.ts';
import { readRunOf } from './read-runs.ts';

export type OneNode = { runId: string; nodeId: string; path?: string | null | undefined };

/** @throws NOT_FOUND, RUN_CLOSED */
export function pauseRun(
  deps: RunsDeps,
  principal: Principal,
  runId: string,
  reason: string | null,
): Promise<RunRecord> {
  const request: PauseArguments = { reason, by: principal.subject };
  return ask(deps, principal, runId, PAUSE_UPDATE, request, (run) => run.status === 'PAUSED');
}

/** @throws NOT_FOUND, NOT_PAUSED, RUN_CLOSED */
export function resumeRun(deps: RunsDeps, principal: Principal, runId: string): Promise<RunRecord> {
  const request: ResumeArguments = { by: principal.subject };
  return ask(deps, principal, runId, RESUME_UPDATE, request, (run) => run.status !== 'PAUSED');
}

/** @throws NOT_FOUND, NOT_RETRYABLE, RUN_CLOSED */
export async function retryNode(deps: RunsDeps, principal: Principal, request: OneNode): Promise<RunRecord> {
  const run = await openRun(deps, principal, request.runId);
  const { nodeId, path = null } = request;
  const waiting = (await listNodeExecutions(deps.pool, run.id, { nodeId, first: MOST_EXECUTIONS })).filter(
    (node) => node.status === 'RUNNING' && isActivity(node.type) && (path ?? node.iteration) === node.iteration,
  );
  const [only, ...others] = waiting;
  if (others.length > 0) {
    const detail = `${waiting.length} executions of node ${nodeId} are under way: name the path`;
    throw new AppError('INPUT_INVALID', { detail });
  }
  const message: NodeArguments = { nodeId, iteration: path, by: principal.subject };
  if (!only) return ask(deps, principal, run.id, RETRY_UPDATE, message, (now) => now.status !== 'PAUSED');
  await retryActivityNow(deps.temporal, run.id, activityId(nodeId, only.iteration));
  deps.log.info({ runId: run.id, nodeId }, 'node tried again');
  return (await readRunOf(deps, principal, run.id)) ?? run;
}

const isActivity = (type: string): boolean => isNodeType(type) && nodeTypeRow(type).class === 'activity';

/** @throws NOT_FOUND, NOT_SKIPPABLE, RUN_CLOSED, PAYLOAD_TOO_LARGE */
export async function skipNode(
  deps: RunsDeps,
  principal: Principal,
  { runId, nodeId, path = null, output = null }: OneNode & { output?: Json | undefined },
): Promise<RunRecord> {
  checkSize(deps, output, 'The output');
  const request: SkipArguments = { nodeId, iteration: path, output, by: principal.subject };
  const executions = (id: RunRecord['id']) => listNodeExecutions(deps.pool, id, { nodeId, first: MOST_EXECUTIONS });
  const { id } = await openRun(deps, principal, runId);
  const before = (await executions(id)).filter((node) => node.status === 'RUNNING' && isActivity(node.type));
  const run = await ask(deps, principal, runId, SKIP_UPDATE, request, async () =>
    (await executions(id)).some((node) => node.status === 'SKIPPED'),
  );
  const stopped = before.filter((node) => path === null || node.iteration === path);
  await Promise.all(stopped.map((node) => stopActivity(deps.temporal, id, activityId(nodeId, node.iteration))));
  return run;
}

/** @throws NOT_FOUND, VARIABLE_UNKNOWN, RUN_CLOSED, PAYLOAD_TOO_LARGE */
export function setVariable(
  deps: RunsDeps,
  principal: Principal,
  { runId, name, value = null }: { runId: string; name: string; value?: Json | undefined },
): Promise<RunRecord> {
  checkSize(deps, value, 'The value of the variable');
  const request: SetVariableArguments = { name, value, by: principal.subject };
  return ask(deps, principal, runId, SET_VARIABLE_UPDATE, request, () => true);
}

async function ask(
  deps: RunsDeps,
  principal: Principal,
  runId: string,
  name: string,
  request: object,
  seen: (run: RunRecord) => boolean | Promise<boolean>,
): Promise<RunRecord> {
  const run = await openRun(deps, principal, runId);
  await ensureStarted(deps, run);
  await updateRun(deps.temporal, run.id, name, request);
  deps.log.info({ runId: run.id, update: name }, 'run operated');
  return caughtUp(deps, principal, run, seen);
}
