import { openDatabase } from '../../../adapters/postgres/open-database.ts';
import { findServers, type FoundSettings } from '../worker/find-servers.ts';

export type EventDatabase = ReturnType<typeof openDatabase>;

/** Runs `work` on the database of the settings, or of a running `weft start`. */
export async function withEventDatabase<Result>(
  work: (pool: EventDatabase, settings: FoundSettings & { DATABASE_URL: string }) => Promise<Result>,
): Promise<Result> {
  const { DATABASE_URL, ...settings } = await findServers();
  if (DATABASE_URL === null) {
    const hint = 'set DATABASE_URL, or run npm start in another terminal';
    throw Object.assign(new Error('No Postgres is known'), { code: 'DATABASE_UNAVAILABLE', hint });
  }
  const found = { ...settings, DATABASE_URL };
  const pool = openDatabase(found);
  try {
    return await work(pool, found);
  } finally {
    await pool.end();
  }
}
