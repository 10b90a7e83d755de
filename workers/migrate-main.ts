/** Brings Postgres and Temporal to what this version of the code needs, once, before its services start. */
import { pino } from 'pino';
import { migrate } from '../adapters/postgres/migrate.ts';
import { loadSettings } from '../config/load.ts';
import { AppError } from '../domain/errors.ts';
import { connectTemporal } from '../temporal/client.ts';
import { ensureSearchAttributes } from '../temporal/search-attributes.ts';
import { tenantNamespaces } from '../temporal/tenant-namespaces.ts';

const settings = loadSettings();
const log = pino({ name: 'migrate', level: settings.WEFT_LOG_LEVEL }, pino.destination(2));
const { DATABASE_URL: databaseUrl } = settings;
if (databaseUrl === null) throw new AppError('DATABASE_UNAVAILABLE', { detail: 'DATABASE_URL is not set' });

const migrations = await migrate(databaseUrl);
const connection = await connectTemporal(settings);
try {
  const searchAttributes: string[] = [];
  for (const namespace of tenantNamespaces(settings).all)
    searchAttributes.push(...(await ensureSearchAttributes(connection, namespace)));
  log.info({ migrations, searchAttributes }, 'migrated');
} finally {
  await connection.close();
}
