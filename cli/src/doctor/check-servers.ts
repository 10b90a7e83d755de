import { pendingMigrations } from '../../../adapters/postgres/pending-migrations.ts';
import { createPool } from '../../../adapters/postgres/pool.ts';
import type { Settings } from '../../../config/settings.ts';
import { connectTemporal } from '../../../temporal/client.ts';
import { loadPools } from '../../../temporal/load-pools.ts';
import { countPollers, type QueuePollers } from '../../../temporal/count-pollers.ts';
import { missingSearchAttributes } from '../../../temporal/search-attributes.ts';
import { tenantNamespaces } from '../../../temporal/tenant-namespaces.ts';
import { type Check, fail, ok, reasonOf, warn } from './check.ts';

const START = 'npm start';
type TemporalConnection = Awaited<ReturnType<typeof connectTemporal>>;

/** Postgres and the level of its migrations. */
export async function checkPostgres(databaseUrl: string): Promise<Check[]> {
  const pool = createPool(databaseUrl, 1);
  const address = new URL(databaseUrl).host;
  try {
    const { rows } = await pool.query<{ version: string }>("SELECT current_setting('server_version') AS version");
    const version = String(rows[0]?.version);
    const old = Number.parseInt(version, 10) < 15;
    return [
      old
        ? fail('Postgres', `${version} at ${address} is too old`, 'use PostgreSQL 15 or newer')
        : ok('Postgres', `${version} at ${address}`),
      describeMigrations(await pendingMigrations(pool)),
      await checkWall(pool),
    ];
  } catch (error) {
    return [fail('Postgres', `${address}: ${reasonOf(error)}`, `${START}, or check DATABASE_URL`)];
  } finally {
    await pool.end();
  }
}

function describeMigrations(pending: readonly string[]): Check {
  if (pending.length === 0) return ok('Migrations', 'current');
  return fail('Migrations', `${pending.length} pending: ${pending.join(', ')}`, START);
}

/** Whether the policies that keep tenants apart hold for what this user may do. */
async function checkWall(pool: ReturnType<typeof createPool>): Promise<Check> {
  const { rows } = await pool.query<{ name: string; mighty: boolean }>(
    'SELECT current_user::text AS name, rolsuper OR rolbypassrls AS mighty FROM pg_roles WHERE rolname = current_user',
  );
  const { name, mighty } = rows[0] ?? { name: '', mighty: false };
  if (!mighty) return ok('Tenants apart', `row-level security holds ${name}`);
  return fail(
    'Tenants apart',
    `${name} gets past row-level security, and the roles weft_app and weft_system are missing or not granted to it`,
    `as a superuser: CREATE ROLE weft_app; CREATE ROLE weft_system; GRANT weft_app, weft_system TO ${name}; then migrate a new database, or use a user without BYPASSRLS`,
  );
}

/** Temporal, our namespace, search attributes, and who polls our queues. */
export async function checkTemporal(settings: Settings, address: string, namespace: string): Promise<Check[]> {
  let connection: TemporalConnection;
  try {
    connection = await connectTemporal({ ...settings, TEMPORAL_ADDRESS: address });
  } catch (error) {
    return [fail('Temporal', reasonOf(error), `${START}, or check TEMPORAL_ADDRESS`)];
  }
  try {
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    const reached = ok('Temporal', `${serverVersion} at ${address}`);
    const checks = [reached];
    for (const one of [namespace, ...tenantNamespaces(settings).all.slice(1)])
      checks.push(...(await checkNamespace(connection, one, settings)));
    return checks;
  } finally {
    await connection.close();
  }
}

async function checkNamespace(connection: TemporalConnection, namespace: string, settings: Settings): Promise<Check[]> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    const fix = `temporal operator namespace create --namespace ${namespace}`;
    return [fail('Namespace', `${namespace}: ${reasonOf(error)}`, fix)];
  }
  const missing = await missingSearchAttributes(connection, namespace);
  return [
    ok('Namespace', namespace),
    missing.length === 0
      ? ok('Search attributes', 'registered')
      : fail('Search attributes', `missing: ${missing.join(', ')}`, START),
    ...(await checkQueues(connection, namespace, settings)),
  ];
}

async function checkQueues(connection: TemporalConnection, namespace: string, settings: Settings): Promise<Check[]> {
  let queues: string[];
  try {
    queues = loadPools(settings).map(({ queue }) => queue);
  } catch (error) {
    return [fail('Pools', reasonOf(error), 'correct the file that WEFT_POOLS_FILE names')];
  }
  return (await countPollers(connection, namespace, queues)).map(describePollers);
}

function describePollers({ queue, workflows, activities }: QueuePollers): Check {
  const name = `Queue ${queue}`;
  const needsWorkflows = queue === 'runs';
  if (activities > 0 && (!needsWorkflows || workflows > 0)) {
    return ok(name, `${activities} activity${needsWorkflows ? `, ${workflows} workflow` : ''} pollers`);
  }
  return fail(name, 'nobody polls it', `npm start, or npm run weft -- worker start --queue ${queue}`);
}

/** A door of ours that should answer while `weft start` runs. */
export async function checkDoor(name: string, url: string): Promise<Check> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    if (response.ok) return ok(name, url);
    return fail(
      name,
      `${url} answers ${response.status}`,
      `see the log in logs/${name.toLowerCase()}.log of the data folder`,
    );
  } catch (error) {
    return fail(name, `${url}: ${reasonOf((error as Error).cause ?? error)}`, 'stop and run: npm start');
  }
}

export const notRunning = (name: string): Check => warn(name, 'not running', START);
