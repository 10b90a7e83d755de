import { openDatabase } from '../../../adapters/postgres/open-database.ts';
import { listKeyUse, resealPayloads } from '../../../adapters/postgres/reseal-payloads.ts';
import { findServers } from '../worker/find-servers.ts';

type Database = ReturnType<typeof openDatabase>;

export async function showKeys({ json }: { json?: boolean }): Promise<number> {
  const uses = await withDatabase(listKeyUse);
  const lines = uses.map(({ keyId, payloads, bytes }) => `${keyId ?? '(not encrypted)'}\t${payloads}\t${bytes} bytes`);
  process.stdout.write(json ? `${JSON.stringify({ keys: uses })}\n` : `${lines.join('\n') || 'no payloads'}\n`);
  return 0;
}

export async function rotateKeys({ json }: { json?: boolean }): Promise<number> {
  const { resealed } = await withDatabase(resealPayloads);
  process.stdout.write(json ? `${JSON.stringify({ resealed })}\n` : `${resealed} payloads encrypted anew\n`);
  return 0;
}

async function withDatabase<Result>(work: (pool: Database) => Promise<Result>): Promise<Result> {
  const { DATABASE_URL, ...settings } = await findServers();
  if (DATABASE_URL === null) {
    const hint = 'set DATABASE_URL, or run npm start in another terminal';
    throw Object.assign(new Error('No Postgres is known'), { code: 'DATABASE_UNAVAILABLE', hint });
  }
  const pool = openDatabase({ ...settings, DATABASE_URL });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}
