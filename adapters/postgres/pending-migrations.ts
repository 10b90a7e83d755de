import { readdir } from 'node:fs/promises';
import { parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';

/** Names of migrations that this code has and the database has not; all of them for an empty database. */
export async function pendingMigrations(pool: pg.Pool): Promise<string[]> {
  const files = await readdir(fileURLToPath(new URL('migrations', import.meta.url)));
  const { rows } = await pool.query<{ known: boolean }>("SELECT to_regclass('weft_migrations') IS NOT NULL AS known");
  const applied = rows[0]?.known
    ? await pool.query<{ name: string }>('SELECT name FROM weft_migrations')
    : { rows: [] };
  const names = new Set(applied.rows.map(({ name }) => name));
  return files
    .map((file) => parse(file).name)
    .filter((name) => !names.has(name))
    .sort();
}
