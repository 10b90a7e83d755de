import type pg from 'pg';
import type { ArchivedEvent, ArchivedRun, ArchivedStream } from '../archive/archived-run.ts';
import { chainedPages } from './event-verification.ts';
import { inTransaction, SNAPSHOT } from './transaction.ts';

type Choice = { closedBefore: Date; after: string; most: number };

/** Closed runs whose links have all ended and are still in the table, by id. */
export async function runsToArchive(
  pool: pg.Pool,
  { closedBefore, after, most }: Choice,
): Promise<{ tenantId: string; runId: string; events: number }[]> {
  const { rows } = await pool.query<{ tenantId: string; runId: string; events: number }>(
    `SELECT run.tenant_id AS "tenantId", run.id AS "runId", left_over.events
     FROM runs run CROSS JOIN LATERAL (
       SELECT sum(version)::int AS events, bool_and(closed AND (version = 0 OR head_hash IS NOT NULL)) AS over
       FROM event_streams WHERE run_id = run.id AND NOT archived
     ) left_over
     WHERE run.closed_at < $1 AND run.id > $2 AND left_over.events > 0 AND left_over.over
     ORDER BY run.id LIMIT $3`,
    [closedBefore, after, most],
  );
  return rows;
}

/** All of one moment. */
export async function readStreamsToArchive(pool: pg.Pool, tenantId: string, runId: string): Promise<ArchivedRun> {
  return inTransaction(
    pool,
    async (client) => {
      const { rows } = await client.query<ArchivedStream>(
        `SELECT stream_id AS "streamId", stream_key AS "streamKey", temporal_run_id AS "temporalRunId",
                sequence_base AS "sequenceBase", version, encode(head_hash, 'hex') AS head
         FROM event_streams WHERE run_id = $1 AND tenant_id = $2 AND closed AND NOT archived AND version > 0
         ORDER BY sequence_base, stream_key`,
        [runId, tenantId],
      );
      const streams: ArchivedRun['streams'] = [];
      for (const stream of rows) {
        const events: ArchivedEvent[] = [];
        for await (const page of chainedPages(client, stream.streamKey)) events.push(...page);
        streams.push({ stream, events });
      }
      return { tenantId, runId, streams };
    },
    SNAPSHOT,
  );
}
