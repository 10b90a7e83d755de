import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';

/** Applies what is missing and returns the names applied. Safe to call from several processes at once: the others wait. */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const applied = await runner({
    // Rows that a migration changes may be of any tenant.
    databaseUrl: { connectionString: databaseUrl, options: '-c weft.tenant=*' },
    dir: fileURLToPath(new URL('migrations', import.meta.url)),
    migrationsTable: 'weft_migrations',
    direction: 'up',
    advisoryLockMode: 'wait',
    checkOrder: false,
    log: () => undefined,
  });
  return applied.map((migration) => migration.name);
}
