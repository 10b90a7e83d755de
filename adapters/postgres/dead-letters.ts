import type pg from 'pg';
import type { Json } from '../../domain/json.ts';
import { readTenantEvents } from './event-store.ts';
import type { Queryable } from './payload-store.ts';
import { type Attempt, backoffMs, type ConsumerLimits, type SubscriptionName } from './subscription-attempt.ts';

export type DeadLetter = {
  tenantId: string;
  name: string;
  position: bigint;
  state: 'DEAD' | 'QUEUED';
  attempts: number;
  error: Json;
  failedAt: Date;
  streamId: string;
  version: number;
  type: string;
};

export async function insertDeadLetter(
  client: pg.PoolClient,
  { tenantId, name }: SubscriptionName,
  { position, attempts, error }: { position: bigint; attempts: number; error: Error },
): Promise<void> {
  await client.query(
    'INSERT INTO dead_letters (tenant_id, name, position, attempts, error) VALUES ($1, $2, $3, $4, $5)',
    [tenantId, name, position, attempts, errorText(error)],
  );
}

/** Gives undefined when none is queued. A letter that is handled is gone. */
export async function handleQueuedLetter(
  client: pg.PoolClient,
  { tenantId, name }: SubscriptionName,
  limits: ConsumerLimits,
  attempt: Attempt,
): Promise<'done' | 'failed' | undefined> {
  const { rows } = await client.query<{ position: bigint; attempts: number }>({
    name: 'claim-dead-letter',
    text: `SELECT position, attempts FROM dead_letters
           WHERE tenant_id = $1 AND name = $2 AND state = 'QUEUED' AND due_at <= clock_timestamp()
           ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED`,
    values: [tenantId, name],
  });
  const letter = rows[0];
  if (letter === undefined) return undefined;
  const { position, attempts } = letter;
  const error = await attempt(await readTenantEvents(client, { tenantId, after: position - 1n, first: 1 }));
  if (error === null) {
    await client.query('DELETE FROM dead_letters WHERE tenant_id = $1 AND name = $2 AND position = $3', [
      tenantId,
      name,
      position,
    ]);
    return 'done';
  }
  await client.query(
    `UPDATE dead_letters SET state = CASE WHEN attempts + 1 >= $4 THEN 'DEAD' ELSE 'QUEUED' END, attempts = attempts + 1,
            error = $5, failed_at = date_trunc('milliseconds', now()), due_at = clock_timestamp() + $6 * interval '1 millisecond'
     WHERE tenant_id = $1 AND name = $2 AND position = $3`,
    [tenantId, name, position, limits.maxAttempts, errorText(error), backoffMs(attempts, limits)],
  );
  return 'failed';
}

export type LetterFilter = { tenantId?: string; name?: string; position?: bigint };

/** Newest first. */
export async function listDeadLetters(db: Queryable, filter: LetterFilter & { first: number }): Promise<DeadLetter[]> {
  const { rows } = await db.query<DeadLetter>(
    `SELECT letter.tenant_id AS "tenantId", letter.name, letter.position, letter.state, letter.attempts, letter.error,
            letter.failed_at AS "failedAt", stream.stream_id AS "streamId", event.version, event.type
     FROM dead_letters letter JOIN events event USING (tenant_id, position) JOIN event_streams stream USING (stream_key)
     WHERE ${CHOSEN} ORDER BY letter.failed_at DESC, letter.position DESC LIMIT $4`,
    [filter.tenantId ?? null, filter.name ?? null, filter.position ?? null, filter.first],
  );
  return rows;
}

/** Lets them be handled again, with all attempts; gives how many. */
export async function requeueDeadLetters(db: Queryable, filter: LetterFilter): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE dead_letters letter SET state = 'QUEUED', attempts = 0, due_at = '-infinity'
     WHERE letter.state = 'DEAD' AND ${CHOSEN}`,
    [filter.tenantId ?? null, filter.name ?? null, filter.position ?? null],
  );
  return rowCount ?? 0;
}

const CHOSEN = `($1::text IS NULL OR letter.tenant_id = $1) AND ($2::text IS NULL OR letter.name = $2)
  AND ($3::bigint IS NULL OR letter.position = $3)`;

const errorText = ({ name, message, ...rest }: Error & { code?: unknown }): string =>
  JSON.stringify({ code: typeof rest.code === 'string' ? rest.code : name, message });
