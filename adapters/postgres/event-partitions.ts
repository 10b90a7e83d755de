import type pg from 'pg';
import { BEGIN_AS_OWNER, inTransaction } from './transaction.ts';

const AHEAD = '3 months';
/** Not to be waited for by those who write meanwhile; the next time will do. */
const PATIENCE = `SET LOCAL lock_timeout = '500ms'`;

/** Makes the partitions of the months to come. Gives how many were missing. */
export async function makeEventPartitions(pool: pg.Pool): Promise<number> {
  return inTransaction(
    pool,
    async (client) => {
      const { rows } = await client.query<{ made: number }>(
        `SELECT weft_make_event_partitions(now() + interval '${AHEAD}') AS made`,
      );
      return rows[0]?.made ?? 0;
    },
    BEGIN_AS_OWNER,
  );
}

/** Drops those of months that are over and whose events are all in archives. Gives their names. */
export async function dropEmptyPartitions(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
     WHERE inhparent = 'events'::regclass AND relname ~ '^events_[0-9]{4}_[0-9]{2}$'
       AND relname < to_char(now() AT TIME ZONE 'UTC', '"events_"YYYY_MM') ORDER BY relname`,
  );
  const dropped: string[] = [];
  for (const { name } of rows) {
    try {
      if (await inTransaction(pool, (client) => dropIfEmpty(client, name), BEGIN_AS_OWNER)) dropped.push(name);
    } catch (error) {
      if ((error as { code?: string }).code !== '55P03') throw error;
    }
  }
  return dropped;
}

async function dropIfEmpty(client: pg.PoolClient, name: string): Promise<boolean> {
  await client.query(PATIENCE);
  const look = `SELECT EXISTS (SELECT FROM ${name}) AS filled`;
  if ((await client.query<{ filled: boolean }>(look)).rows[0]?.filled) return false;
  await client.query(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
  if ((await client.query<{ filled: boolean }>(look)).rows[0]?.filled) return false;
  await client.query(`ALTER TABLE events DETACH PARTITION ${name}`);
  await client.query(`DROP TABLE ${name}`);
  return true;
}
