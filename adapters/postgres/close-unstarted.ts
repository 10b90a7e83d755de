import type pg from 'pg';
import { ChangedExecutions } from '../../domain/events/changed-executions.ts';
import { foldRunEvent } from '../../domain/events/fold-run.ts';
import { definitionHash } from '../../domain/identifiers.ts';
import type { JsonObject } from '../../domain/json.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import { UNSTARTED_LINK } from '../../domain/runs/flow-control/unstarted-link.ts';
import type { RunError } from '../../domain/runs/run-event.ts';
import { initialState } from '../../domain/runs/run-state.ts';
import { readDefinitionByHash } from './definition-store.ts';
import { type FeedPage, writeFeedPages } from './feed-store.ts';

export type UnstartedEnd =
  | { type: 'run.cancelled'; reason: string | null }
  | { type: 'run.terminated'; reason: string | null }
  | { type: 'run.failed'; error: RunError };

/**
 * Closes a run that Temporal never saw, by an event of our own: the store is the only truth of it. False when it is too late,
 * because the run was admitted meanwhile; `evenAdmitted` is for one that Temporal has refused.
 */
export async function closeUnstarted(
  pool: pg.Pool,
  runId: string,
  end: UnstartedEnd,
  { evenAdmitted = false } = {},
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE run_admissions SET state = 'DROPPED', ending = $2 WHERE run_id = $1 AND (state = 'WAITING' OR $3 AND state = 'ADMITTED')`,
    [runId, JSON.stringify(end), evenAdmitted],
  );
  if (rowCount === 0) return false;
  await closeDropped(pool, runId);
  return true;
}

/** The second half, which is repeated until it is done. */
export async function closeDropped(pool: pg.Pool, runId: string): Promise<void> {
  const { rows } = await pool.query<{
    tenant_id: string;
    subject: string | null;
    definition_hash: string;
    ending: UnstartedEnd;
  }>(
    `SELECT run.tenant_id, run.subject, run.definition_hash, ending FROM run_admissions JOIN runs run ON run.id = run_id
     WHERE run_id = $1 AND state = 'DROPPED'`,
    [runId],
  );
  const row = rows[0];
  const published = row && (await readDefinitionByHash(pool, definitionHash(row.definition_hash)));
  if (!published) return;
  const compiled = compileDefinition(published.definition);
  const { type, ...payload } = row.ending;
  const event = { version: 1, type, occurredAt: new Date(), payload: payload as unknown as JsonObject };
  const before = initialState(compiled);
  const changed = new ChangedExecutions(compiled, null, before);
  const state = foldRunEvent(compiled, before, event);
  changed.folded(state);
  const page: FeedPage = {
    tenantId: row.tenant_id,
    subject: row.subject,
    runId,
    temporalRunId: UNSTARTED_LINK,
    sequenceBase: 0,
    expectedVersion: 0,
    events: [event],
    token: null,
    ended: true,
    state,
    changedNodes: changed.all(),
    children: [],
  };
  await writeFeedPages(pool, [page]);
}
