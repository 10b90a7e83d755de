import pg from 'pg';
import { HINT_CHANNEL } from './run-hints.ts';

export const SHARDS = 16;

/** Spaces of advisory locks: one lock per shard, and one that every projector shares so that they can be counted. */
const SHARD_LOCKS = 0x57454654;
const MEMBER_LOCK = 0x57454655;

export type ShardLocks = {
  /** Takes free shards up to a fair share and gives the ones to release when there are too many. */
  balance(owned: ReadonlySet<number>): Promise<{ taken: number[]; surplus: number[] }>;
  release(shards: readonly number[]): Promise<void>;
  close(): Promise<void>;
};

/**
 * A connection of its own: the locks live and die with it. `onLost` is called once when it breaks, and all shards are gone then;
 * `onHint` when runs were hinted.
 */
export async function openShardLocks(
  databaseUrl: string,
  { onHint, onLost }: { onHint: () => void; onLost: (error: unknown) => void },
): Promise<ShardLocks> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'weft-projector', keepAlive: true });
  let closing = false;
  const lost = (error: unknown) => {
    if (closing) return;
    closing = true;
    onLost(error);
  };
  client.on('error', lost);
  client.on('end', () => lost(undefined));
  client.on('notification', onHint);
  await client.connect();
  await client.query(`LISTEN ${HINT_CHANNEL}`);
  await client.query('SELECT pg_advisory_lock_shared($1, 0)', [MEMBER_LOCK]);
  return {
    async balance(owned) {
      const { rows } = await client.query<{ members: number }>(
        `SELECT greatest(count(*), 1)::int AS members FROM pg_locks
         WHERE locktype = 'advisory' AND classid = $1 AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        [MEMBER_LOCK],
      );
      const share = Math.ceil(SHARDS / (rows[0]?.members ?? 1));
      const surplus = [...owned].slice(share);
      const free = Array.from({ length: SHARDS }, (_, shard) => shard).filter((shard) => !owned.has(shard));
      const taken: number[] = [];
      for (const shard of free) {
        if (owned.size + taken.length >= share) break;
        const answer = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS locked', [
          SHARD_LOCKS,
          shard,
        ]);
        if (answer.rows[0]?.locked) taken.push(shard);
      }
      return { taken, surplus };
    },
    async release(shards) {
      await client.query('SELECT pg_advisory_unlock($1, shard) FROM unnest($2::int[]) AS shard', [SHARD_LOCKS, shards]);
    },
    async close() {
      closing = true;
      await client.end();
    },
  };
}
