import { ChangedExecutions } from '../../../domain/events/changed-executions.ts';
import { CodeExecutions } from '../../../domain/events/code-executions.ts';
import { followMigration } from '../../../domain/events/follow-migration.ts';
import { foldStored, migrationOf, type RunFold } from '../../../domain/events/run-fold.ts';
import { runId } from '../../../domain/identifiers.ts';
import { isCode } from '../../../domain/runs/code-workflow.ts';
import type { RunError } from '../../../domain/runs/run-event.ts';
import { initialState } from '../../../domain/runs/run-state.ts';
import type { CompiledDefinitions } from '../compiled-definitions.ts';
import type { Queryable } from '../payload-store.ts';
import { runEvents } from '../run-feed.ts';
import type { ProjectedEvent } from './projection.ts';

export const RUN_CLOSED = ['run.completed', 'run.failed', 'run.cancelled', 'run.terminated', 'run.timed_out'] as const;

/** An execution of a node that has come to its end, with the queue that its activity was on. */
export type ClosedExecution = {
  nodeId: string;
  type: string;
  status: 'COMPLETED' | 'FAILED' | 'SKIPPED' | 'CANCELLED';
  attempts: number;
  startedAt: number | null;
  closedAt: number | null;
  error: RunError | null;
  /** Null for what runs inside the workflow. */
  queue: string | null;
};
export type ClosedRun = { runId: string; workflowId: string; version: number; executions: ClosedExecution[] };

type RunRow = { workflow_id: string; version: number; hash: string };

/**
 * What a run did up to the event that closed it, from its events alone: the same whenever it is asked. Of a run that was closed
 * before, and reset, only what came after. Undefined for one that is gone.
 */
export async function closedRunOf(
  db: Queryable,
  definitions: CompiledDefinitions,
  closing: ProjectedEvent,
): Promise<ClosedRun | undefined> {
  const id = closing.correlationId ?? '';
  const { rows } = await db.query<RunRow>(
    `SELECT workflow_id, coalesce(started_version, version) AS version, coalesce(started_hash, definition_hash) AS hash
     FROM runs WHERE id = $1 AND tenant_id = $2`,
    [id, closing.tenantId],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const compiled = await definitions.read(row.hash);
  let { version } = row;
  let fold: RunFold = { compiled, state: initialState(compiled) };
  const changed = new ChangedExecutions(compiled, null, fold.state);
  const code = new CodeExecutions(runId(id));
  const counted = new Set<string>();
  const executions = () => (isCode(fold.compiled.definition) ? codeExecutions(code) : nodeExecutions(changed, fold));
  for await (const event of runEvents(db, id, closing.sequence)) {
    const before = fold;
    const migration = migrationOf(event);
    if (migration) await definitions.read(migration.hash);
    fold = foldStored(fold, event, definitions.known);
    if (migration) followMigration(changed, before, fold, migration);
    else changed.folded(fold.state);
    version = migration?.version ?? version;
    code.add(event);
    const closes = (RUN_CLOSED as readonly string[]).includes(event.type);
    if (closes && event.sequence < closing.sequence) for (const one of executions()) counted.add(keyOf(one));
  }
  const fresh = executions().filter((one) => !counted.has(keyOf(one)));
  return { runId: id, workflowId: row.workflow_id, version, executions: fresh.map(({ iteration: _, ...one }) => one) };
}

type Counted = ClosedExecution & { iteration: string };
const keyOf = ({ nodeId, iteration, startedAt, closedAt }: Counted): string =>
  [nodeId, iteration, startedAt, closedAt].join(' ');

function nodeExecutions(changed: ChangedExecutions, { compiled, state }: RunFold): Counted[] {
  return changed.all().flatMap(({ node }): Counted[] => {
    const { status } = node;
    if (status === 'PENDING' || status === 'RUNNING' || status === 'WAITING') return [];
    // The run that does some items of a map for another holds the map itself, which is counted there.
    if (state.slice?.nodeId === node.id && state.slice.iteration === node.iteration) return [];
    const known = compiled.nodes[compiled.indexOf.get(node.id) ?? -1];
    const queue =
      known?.row.class === 'activity' ? (known.definition.taskQueue ?? known.row.taskQueue ?? 'runs') : null;
    const { id: nodeId, type, iteration, attempts, startedAt, closedAt, error } = node;
    return [{ nodeId, type, iteration, status, attempts, startedAt, closedAt, error, queue }];
  });
}

function codeExecutions(code: CodeExecutions): Counted[] {
  return code.all().flatMap((one): Counted[] => {
    const { status, nodeId, type, iteration, attempts, error } = one;
    if (status === 'PENDING' || status === 'RUNNING' || status === 'WAITING') return [];
    const [startedAt, closedAt] = [one.startedAt?.getTime() ?? null, one.closedAt?.getTime() ?? null];
    return [{ nodeId, type, iteration, status, attempts, startedAt, closedAt, error, queue: null }];
  });
}
