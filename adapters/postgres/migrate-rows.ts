import type pg from 'pg';
import type { RecordedMigration } from '../../domain/events/follow-migration.ts';

/** Lets the rows of a run follow it into another version, before what has changed since is written. */
export async function migrateRows(
  client: pg.PoolClient,
  runId: string,
  { version, hash, renamed, removed, nodes }: RecordedMigration,
): Promise<void> {
  await client.query(
    `UPDATE runs SET started_version = coalesce(started_version, version), started_hash = coalesce(started_hash, definition_hash),
            version = $2, definition_hash = $3 WHERE id = $1`,
    [runId, version, hash],
  );
  // What never began leaves no trace.
  await client.query(`DELETE FROM node_executions WHERE run_id = $1 AND node_id = ANY($2) AND started_at IS NULL`, [
    runId,
    removed,
  ]);
  // By way of names that no node can have: one may take the name of another.
  await client.query(
    `UPDATE node_executions SET node_id = '>' || given.target || substr(node_id, length(given.source) + 1)
     FROM unnest($2::text[], $3::text[]) AS given(source, target)
     WHERE run_id = $1 AND node_id IN (given.source, given.source || '.undo')`,
    [runId, renamed.map(({ from }) => from), renamed.map(({ to }) => to)],
  );
  // The row of a node that was removed, or of one that did not begin, gives way to the one that takes its name.
  await client.query(
    `DELETE FROM node_executions old USING node_executions renamed
     WHERE old.run_id = $1 AND renamed.run_id = $1 AND renamed.node_id = '>' || old.node_id AND renamed.iteration = old.iteration`,
    [runId],
  );
  await client.query(
    `UPDATE node_executions SET node_id = substr(node_id, 2), noted = false WHERE run_id = $1 AND node_id LIKE '>%'`,
    [runId],
  );
  await client.query(
    `UPDATE node_executions SET ordinal = given.ordinal - 1 FROM unnest($2::text[]) WITH ORDINALITY AS given(node_id, ordinal)
     WHERE run_id = $1 AND node_executions.node_id IN (given.node_id, given.node_id || '.undo')`,
    [runId, nodes],
  );
}
