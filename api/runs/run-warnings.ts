import { FIRST_ITERATION, parseActivityId, undoId } from '../../domain/runs/activity-id.ts';
import { isCode } from '../../domain/runs/code-workflow.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { isNodeType, nodeTypeRow } from '../../domain/runs/node-types.ts';
import { isSilent, isUnserved, livePollers, NOTICE_MS, type QueueStats } from '../../domain/runs/queue-stats.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import { isClosed, type RunStatus } from '../../domain/runs/run-status.ts';
import { type PendingRetry, type PendingWork, readPendingWork } from '../../temporal/pending-work.ts';
import type { RunsDeps } from './deps.ts';
import type { RunLoaders } from './loaders.ts';

export type RunWarning = {
  code: 'NO_WORKER' | 'WORKERS_SILENT' | 'RETRYING';
  message: string;
  hint: string;
  nodeId: string | null;
};
type WarningDeps = Pick<RunsDeps, 'temporal' | 'queues' | 'pools' | 'log'>;

/** The queue of the workflows themselves. */
const RUNS_QUEUE = 'runs';
const MAY_RETRY: readonly RunStatus[] = ['RUNNING', 'PAUSED', 'COMPENSATING'];

/**
 * Why an open run does not go on. Temporal is asked for its queues, whose answers are shared by all runs, and for the run itself
 * only when one of them has work that nobody takes, or when activities of it may be under way.
 */
export async function runWarnings(
  deps: WarningDeps,
  loaders: Pick<RunLoaders, 'pinned'>,
  run: RunRecord,
): Promise<RunWarning[]> {
  if (isClosed(run.status) || Date.now() - run.createdAt.getTime() < NOTICE_MS) return [];
  try {
    const definition = (await loaders.pinned.load(run))?.definition;
    const queueOf = queuesOf(definition);
    const used = definition && !isCode(definition) ? queueOf.values() : deps.pools.map(({ queue }) => queue);
    const names = [...new Set([RUNS_QUEUE, ...used])];
    const stats = new Map((await Promise.all(names.map(deps.queues.read))).map((one) => [one.queue, one]));
    const unserved = [...stats.values()].some(isUnserved);
    if (!unserved && !MAY_RETRY.includes(run.status)) return [];
    const work = await readPendingWork(deps.temporal, run.id, NOTICE_MS);
    return [
      ...(unserved ? waitingWork(deps, work, stats, queueOf) : []),
      ...work.retries.map((retry) => retryWarning(run.id, retry)),
    ];
  } catch (error) {
    deps.log.info({ err: error, runId: run.id }, 'the warnings of a run could not be read');
    return [];
  }
}

function waitingWork(
  deps: WarningDeps,
  { workflowTask, activities }: PendingWork,
  stats: ReadonlyMap<string, QueueStats>,
  queueOf: ReadonlyMap<string, string>,
): RunWarning[] {
  const found: (RunWarning | null)[] = [];
  const about = (queue: string, half: 'workflows' | 'activities', since: number, nodeId: string | null) => {
    const known = stats.get(queue);
    if (known === undefined) return;
    const limited =
      half === 'activities' && deps.pools.some((pool) => pool.queue === queue && pool.maxPerSecond !== null);
    found.push(warningOf(known, half, { since, limited, nodeId }));
  };
  if (workflowTask) about(RUNS_QUEUE, 'workflows', workflowTask.since, null);
  for (const { activityId, queue, since } of activities) {
    const nodeId = parseActivityId(activityId)?.nodeId ?? activityId;
    about(queue ?? queueOf.get(nodeId) ?? RUNS_QUEUE, 'activities', since, nodeId);
  }
  return found.filter((warning) => warning !== null);
}

function retryWarning(runId: string, { activityId, failed, error, nextAt }: PendingRetry): RunWarning {
  const at = parseActivityId(activityId);
  const nodeId = at?.nodeId ?? activityId;
  const who = at?.iteration === FIRST_ITERATION ? nodeId : activityId;
  const path = at && at.iteration !== FIRST_ITERATION ? ` --path ${at.iteration}` : '';
  const next = nextAt === null ? 'it is being tried again' : `the next begins at ${new Date(nextAt).toISOString()}`;
  return {
    code: 'RETRYING',
    message: `${failed} attempt${failed === 1 ? '' : 's'} of ${who} failed, ${next}: ${error.code}: ${error.message}`,
    hint: `Try it at once with: npm run weft -- run retry ${runId} ${nodeId}${path}`,
    nodeId,
  };
}

/** By node: the queue that its activity is put on. */
function queuesOf(definition: WorkflowDefinition | undefined): Map<string, string> {
  const queues = new Map<string, string>();
  const put = (id: string, { type, taskQueue }: { type: string; taskQueue?: string }) => {
    if (!isNodeType(type) || nodeTypeRow(type).class !== 'activity') return;
    queues.set(id, taskQueue ?? nodeTypeRow(type).taskQueue ?? RUNS_QUEUE);
  };
  for (const node of definition?.nodes ?? []) {
    put(node.id, node);
    if (node.undo) put(undoId(node.id), node.undo);
  }
  return queues;
}

/** A queue with a limit of its own keeps tasks waiting although workers ask. */
function warningOf(
  stats: QueueStats,
  half: 'workflows' | 'activities',
  { since, limited, nodeId }: { since: number; limited: boolean; nodeId: string | null },
): RunWarning | null {
  const { queue, readAt } = stats;
  const who = nodeId ?? 'the run';
  const start = `npm run weft -- worker start --queue ${queue}`;
  if (livePollers(stats[half], readAt) === 0) {
    const message = `No worker polls queue ${queue}: ${who} waits for one`;
    return { code: 'NO_WORKER', message, hint: `Start one with: ${start}`, nodeId };
  }
  if (limited || !isSilent(stats[half], since)) return null;
  const message = `No worker has asked queue ${queue} for work since ${who} began to wait: they have stopped, or are busy`;
  return { code: 'WORKERS_SILENT', message, hint: `Start another with: ${start}`, nodeId };
}
