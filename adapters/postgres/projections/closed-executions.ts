import { ChangedExecutions } from '../../../domain/events/changed-executions.ts';
import { CodeExecutions } from '../../../domain/events/code-executions.ts';
import { followMigration } from '../../../domain/events/follow-migration.ts';
import { foldStored, migrationOf, type RunFold } from '../../../domain/events/run-fold.ts';
import { runId } from '../../../domain/identifiers.ts';
import { isCode } from '../../../domain/runs/code-workflow.ts';
import type { RunError } from '../../../domain/runs/run-event.ts';
import { initialState } from '../../../domain/runs/run-state.ts';
import { type CompiledDefinitions, createCompiledDefinitions } from '../compiled-definitions.ts';
import type { Queryable } from '../payload-store.ts';
import { type HistoryEvent, readRunHistories } from '../read-run-histories.ts';
import type { ProjectedEvent } from './projection.ts';

export const RUN_CLOSED = ['run.completed', 'run.failed', 'run.cancelled', 'run.terminated', 'run.timed_out'] as const;

/** An execution of a node that has come to its end, with the queue that its activity was on. */
export type ClosedExecution = {
  nodeId: string;
  iteration: string;
  type: string;
  status: 'COMPLETED' | 'FAILED' | 'SKIPPED' | 'CANCELLED';
  attempts: number;
  startedAt: number | null;
  closedAt: number | null;
  error: RunError | null;
  /** Null for what runs inside the workflow. */
  queue: string | null;
};
export type ClosedRun = {
  tenantId: string;
  runId: string;
  workflowId: string;
  version: number;
  closedAt: Date;
  executions: ClosedExecution[];
};

type RunRow = { id: string; workflow_id: string; version: number; hash: string };

/** So many are read at once. */
const RUNS = 50;

/**
 * What runs did up to the events that closed them, from their events alone: the same whenever it is asked. Of a run that was closed
 * before, and reset, only what came after. Runs that are gone are left out.
 */
export async function closedRuns(db: Queryable, closings: readonly ProjectedEvent[]): Promise<ClosedRun[]> {
  const definitions = createCompiledDefinitions(db);
  const closed: ClosedRun[] = [];
  for (let start = 0; start < closings.length; start += RUNS) {
    const some = closings.slice(start, start + RUNS);
    const ids = [...new Set(some.map(({ correlationId }) => correlationId ?? ''))];
    const { rows } = await db.query<RunRow>(
      `SELECT id, workflow_id, coalesce(started_version, version) AS version, coalesce(started_hash, definition_hash) AS hash
       FROM runs WHERE id = ANY($1)`,
      [ids],
    );
    const runs = new Map(rows.map((row) => [row.id, row]));
    const histories = await readRunHistories(db, ids);
    for (const closing of some) {
      const run = runs.get(closing.correlationId ?? '');
      const history = histories.get(closing.correlationId ?? '') ?? [];
      if (run !== undefined) closed.push(await closedRun(definitions, run, history, closing));
    }
  }
  return closed;
}

async function closedRun(
  definitions: CompiledDefinitions,
  run: RunRow,
  history: readonly HistoryEvent[],
  closing: ProjectedEvent,
): Promise<ClosedRun> {
  const compiled = await definitions.read(run.hash);
  let { version } = run;
  let fold: RunFold = { compiled, state: initialState(compiled) };
  const changed = new ChangedExecutions(compiled, null, fold.state);
  const code = isCode(compiled.definition) ? new CodeExecutions(runId(run.id)) : null;
  const counted = new Set<string>();
  const executions = () => (code ? codeExecutions(code) : nodeExecutions(changed, fold));
  for (const event of history) {
    if (event.sequence > closing.sequence) break;
    const before = fold;
    const migration = migrationOf(event);
    if (migration) await definitions.read(migration.hash);
    fold = foldStored(fold, event, definitions.known);
    if (migration) followMigration(changed, before, fold, migration);
    else changed.folded(fold.state);
    version = migration?.version ?? version;
    code?.add(event);
    const closes = (RUN_CLOSED as readonly string[]).includes(event.type);
    if (closes && event.sequence < closing.sequence) for (const one of executions()) counted.add(keyOf(one));
  }
  const fresh = executions().filter((one) => !counted.has(keyOf(one)));
  const { tenantId, occurredAt: closedAt } = closing;
  return { tenantId, runId: run.id, workflowId: run.workflow_id, version, closedAt, executions: fresh };
}

const keyOf = ({ nodeId, iteration, startedAt, closedAt }: ClosedExecution): string =>
  [nodeId, iteration, startedAt, closedAt].join(' ');

function nodeExecutions(changed: ChangedExecutions, { compiled, state }: RunFold): ClosedExecution[] {
  return changed.all().flatMap(({ node }): ClosedExecution[] => {
    const { status } = node;
    if (status === 'PENDING' || status === 'RUNNING' || status === 'WAITING') return [];
    // Taken over from another run, which has counted it.
    if ('reused' in node && node.reused) return [];
    // The run that does some items of a map for another holds the map itself, which is counted there.
    if (state.slice?.nodeId === node.id && state.slice.iteration === node.iteration) return [];
    const known = compiled.nodes[compiled.indexOf.get(node.id) ?? -1];
    const queue =
      known?.row.class === 'activity' ? (known.definition.taskQueue ?? known.row.taskQueue ?? 'runs') : null;
    const { id: nodeId, type, iteration, attempts, startedAt, closedAt, error } = node;
    return [{ nodeId, type, iteration, status, attempts, startedAt, closedAt, error, queue }];
  });
}

function codeExecutions(code: CodeExecutions): ClosedExecution[] {
  return code.all().flatMap((one): ClosedExecution[] => {
    const { status, nodeId, type, iteration, attempts, error } = one;
    if (status === 'PENDING' || status === 'RUNNING' || status === 'WAITING') return [];
    const [startedAt, closedAt] = [one.startedAt?.getTime() ?? null, one.closedAt?.getTime() ?? null];
    return [{ nodeId, type, iteration, status, attempts, startedAt, closedAt, error, queue: null }];
  });
}
