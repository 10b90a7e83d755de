import type pg from 'pg';
import { migrationOf } from '../../domain/events/run-fold.ts';
import type { Json } from '../../domain/json.ts';
import type { NodeMapping } from '../../domain/runs/versions/node-mapping.ts';
import { readArchivedRun } from './read-archived.ts';

export type RunVersion = {
  version: number;
  since: Date;
  by: string | null;
  /** Null for the version that the run began with. */
  mapping: NodeMapping | null;
};

/** The versions that a run has gone through, the first one first. */
export async function listRunVersions(pool: pg.Pool, runId: string): Promise<RunVersion[]> {
  const [begun, links] = await Promise.all([
    pool.query<{ version: number; created_at: Date }>(
      'SELECT coalesce(started_version, version) AS version, created_at FROM runs WHERE id = $1',
      [runId],
    ),
    pool.query<{ type: string; occurred_at: Date; payload: Json }>(
      `SELECT event.type, event.occurred_at, event.payload FROM events event JOIN event_streams stream USING (stream_key)
       WHERE stream.run_id = $1 AND event.version = 1 AND event.type = 'run.started' ORDER BY stream.sequence_base`,
      [runId],
    ),
  ]);
  const [first] = begun.rows;
  if (first === undefined) return [];
  const archived = (await readArchivedRun(pool, runId, { after: 0, first: Infinity })).filter(
    ({ type, version }) => type === 'run.started' && version === 1,
  );
  return [
    { version: first.version, since: first.created_at, by: null, mapping: null },
    ...[...archived, ...links.rows].flatMap((link): RunVersion[] => {
      const migration = migrationOf(link);
      if (migration === null) return [];
      return [{ version: migration.version, since: link.occurred_at, by: migration.by, mapping: migration.mapping }];
    }),
  ];
}
