import type pg from 'pg';
import { AppError } from '../../../domain/errors.ts';
import type { StoredEvent } from '../../../domain/events/stored-event.ts';
import type { Queryable } from '../payload-store.ts';
import { consumeOnce, createSubscription } from '../subscriptions.ts';
import { inTransaction } from '../transaction.ts';
import { noteFailure, noteSuccess } from './projection-store.ts';
import { passOver } from './pass-over.ts';
import { type ProjectedEvent, type Projection, shadowSchema, subscriptionName } from './projection.ts';
import { createShadowTables, readShadowMark, readShape, swapShadowTables } from './shadow-tables.ts';

type Row = {
  name: string;
  version: number;
  generation: number;
  building: number | null;
  building_version: number | null;
  failed: boolean;
};
/** One of the tables of a projection: those that readers see, or those that are being built. */
type Copy = { projection: Projection; generation: number; live: boolean; failed: boolean };

/** Positions of one transaction. */
const BATCH = { live: 500, build: 5_000 };
type Batch = typeof BATCH;
/** Events behind the old tables with which the last step of a build begins, while the old ones stand still. */
const CLOSE = 5_000;
const LOCK_MS = 10_000;

/** Nothing was new, or all of it was taken in, or more is there already. */
export type Followed = false | 'caught up' | 'behind';

/**
 * Takes in what is new, a batch for each tenant and projection that has some, and goes on with builds. Any number of processes
 * may: each batch is one transaction that holds its place in the events.
 */
export async function followProjections(
  pool: pg.Pool,
  projections: readonly Projection[],
  onError: (error: unknown, projection: string) => void,
  batch = BATCH,
): Promise<Followed> {
  const copies = await readCopies(pool, projections);
  const builds = copies.filter(({ live }) => !live);
  let worked = false;
  const guarded = async ({ projection: { name } }: Copy, work: () => Promise<boolean>) => {
    try {
      worked = (await work()) || worked;
    } catch (error) {
      onError(error, name);
      await noteFailure(pool, name, error);
    }
  };
  for (const build of builds) await guarded(build, async () => prepareBuild(pool, build).then(() => false));
  await subscribeTenants(pool, copies);
  const passed = await passOver(pool, copies.filter(({ live }) => live).map(nameOf), batch.live);
  const behind = await tenantsBehind(pool, copies);
  let far = builds.length > 0;
  for (const copy of copies) {
    for (const { tenantId, events } of behind.get(nameOf(copy)) ?? []) {
      far ||= events > batch.live;
      await guarded(copy, async () => takeInOnce(pool, copy, tenantId, batch));
    }
  }
  for (const build of builds) await guarded(build, async () => finishBuild(pool, build, batch));
  if (!worked && passed === 0) return false;
  return far ? 'behind' : 'caught up';
}

async function takeInOnce(pool: pg.Pool, copy: Copy, tenantId: string, batch: Batch): Promise<boolean> {
  const { outcome, failure } = await takeIn(pool, copy, tenantId, batch);
  if (outcome === 'failed') throw failure;
  if (outcome === 'done' && copy.failed) await noteSuccess(pool, copy.projection.name);
  return outcome === 'done';
}

/** Those that this process's code has made or makes; what other code has made is for the processes that run it. */
async function readCopies(pool: pg.Pool, projections: readonly Projection[]): Promise<Copy[]> {
  const { rows } = await pool.query<Row>(
    `WITH looked AS (
       UPDATE projections SET followed_at = clock_timestamp()
       WHERE name = ANY($1) AND NOT stopped AND coalesce(followed_at, '-infinity') < clock_timestamp() - interval '5 s'
     ) SELECT name, version, generation, building, building_version, error IS NOT NULL AS failed FROM projections WHERE name = ANY($1) AND NOT stopped`,
    [projections.map(({ name }) => name)],
  );
  return rows.flatMap((row): Copy[] => {
    const projection = projections.find(({ name }) => name === row.name) as Projection;
    const copies: Copy[] = [];
    const { failed } = row;
    if (row.version === projection.version) copies.push({ projection, generation: row.generation, live: true, failed });
    if (row.building !== null && row.building_version === projection.version) {
      copies.push({ projection, generation: row.building, live: false, failed });
    }
    return copies;
  });
}

/** Makes the tables, unless they are there from before a kill. False when somebody else has ended the build meanwhile. */
async function prepareBuild(pool: pg.Pool, { projection, generation }: Copy): Promise<boolean> {
  const schema = shadowSchema(projection.name);
  const mark = `${generation}/${projection.version}/${await readShape(pool, projection.tables)}`;
  if ((await readShadowMark(pool, schema)) === mark) return true;
  return inTransaction(pool, async (client) => {
    if (!(await lockBuild(client, projection, generation))) return false;
    if ((await readShadowMark(client, schema)) === mark) return true;
    await createShadowTables(client, schema, projection.tables, mark);
    await client.query('DELETE FROM subscriptions WHERE name = $1', [subscriptionName(projection.name, generation)]);
    return true;
  });
}

async function lockBuild(client: pg.PoolClient, { name }: Projection, generation: number): Promise<boolean> {
  const { rowCount } = await client.query('SELECT FROM projections WHERE name = $1 AND building = $2 FOR UPDATE', [
    name,
    generation,
  ]);
  return rowCount === 1;
}

async function subscribeTenants(pool: pg.Pool, copies: readonly Copy[]): Promise<void> {
  const { rows } = await pool.query<{ tenant_id: string; name: string }>(
    `SELECT tenant_id, wanted.name FROM tenant_heads head CROSS JOIN unnest($1::text[]) AS wanted(name)
     WHERE NOT EXISTS (SELECT FROM subscriptions held WHERE held.tenant_id = head.tenant_id AND held.name = wanted.name)`,
    [copies.map(nameOf)],
  );
  for (const { tenant_id: tenantId, name } of rows) {
    const { types } = (copies.find((copy) => nameOf(copy) === name) as Copy).projection;
    await createSubscription(pool, { tenantId, name, partitions: 1, ...(types === null ? {} : { types }) });
  }
}

type Behind = { tenantId: string; events: number };

/** Tenants with something new, by the subscription that has not seen it. */
async function tenantsBehind(pool: pg.Pool, copies: readonly Copy[]): Promise<Map<string, Behind[]>> {
  const { rows } = await pool.query<{ name: string; tenants: Behind[] }>(
    `SELECT part.name, json_agg(json_build_object('tenantId', tenant_id, 'events', head.head - part.position)) AS tenants
     FROM subscription_partitions part JOIN tenant_heads head USING (tenant_id)
     WHERE part.name = ANY($1) AND part.position < head.head AND part.due_at <= clock_timestamp() GROUP BY part.name`,
    [copies.map(nameOf)],
  );
  return new Map(rows.map(({ name, tenants }) => [name, tenants]));
}

const nameOf = ({ projection, generation }: Copy): string => subscriptionName(projection.name, generation);

type TakenIn = { outcome: 'done' | 'failed' | 'idle'; failure: unknown };

/** No event is ever put aside: what readers find would be wrong from then on. */
async function takeIn(pool: pg.Pool, copy: Copy, tenantId: string, batch: Batch): Promise<TakenIn> {
  const { projection, generation, live } = copy;
  let failure: unknown = null;
  const apply = async (events: readonly StoredEvent[], client: pg.PoolClient) =>
    projection.apply(client, events as readonly ProjectedEvent[], await namesOf(client, projection, generation));
  const outcome = await consumeOnce(pool, { tenantId, name: nameOf(copy) }, apply, {
    batch: live ? batch.live : batch.build,
    maxAttempts: Infinity,
    onError: (error) => (failure = error),
  });
  return { outcome, failure };
}

/** Read while the place is held, which a swap would need: a build may have come to its end since it was looked up. */
async function namesOf(
  client: pg.PoolClient,
  { name }: Projection,
  generation: number,
): Promise<(table: string) => string> {
  const { rows } = await client.query<{ generation: number }>('SELECT generation FROM projections WHERE name = $1', [
    name,
  ]);
  const schema = shadowSchema(name);
  return rows[0]?.generation === generation ? (table) => table : (table) => `${schema}.${table}`;
}

/** Swaps once the new tables know all that the old ones do, which stand still for that moment. */
async function finishBuild(pool: pg.Pool, copy: Copy, batch: Batch): Promise<boolean> {
  const { projection, generation } = copy;
  const { rows } = await pool.query<{ generation: number }>('SELECT generation FROM projections WHERE name = $1', [
    projection.name,
  ]);
  const old = subscriptionName(projection.name, rows[0]?.generation ?? 0);
  if ((await eventsBehind(pool, copy, old)) > CLOSE) return false;
  return inTransaction(pool, async (client) => {
    await client.query(`SET LOCAL lock_timeout = ${LOCK_MS}`);
    if (!(await lockBuild(client, projection, generation))) return false;
    await lockPlaces(client, old);
    while ((await eventsBehind(client, copy, old)) > 0) {
      let worked = false;
      for (const { tenantId } of (await tenantsBehind(pool, [copy])).get(nameOf(copy)) ?? []) {
        worked = (await takeIn(pool, copy, tenantId, batch)).outcome === 'done' || worked;
      }
      if (!worked) return false;
    }
    await lockPlaces(client, nameOf(copy));
    await swapShadowTables(client, shadowSchema(projection.name), projection.tables);
    await client.query('DELETE FROM subscriptions WHERE starts_with(name, $1) AND name <> $2', [
      subscriptionName(projection.name, ''),
      nameOf(copy),
    ]);
    await client.query(
      `UPDATE projections SET version = building_version, generation = building, building = NULL, building_version = NULL,
              building_since = NULL, built_at = now(), error = NULL, failed_at = NULL WHERE name = $1`,
      [projection.name],
    );
    return true;
  });
}

/** Of all tenants, counted to where the old tables are; to the end where there are none. */
async function eventsBehind(db: Queryable, copy: Copy, old: string): Promise<number> {
  const { rows } = await db.query<{ behind: number }>(
    `SELECT coalesce(sum(greatest(coalesce(old.position, head.head) - coalesce(new.position, 0), 0)), 0)::float8 AS behind
     FROM tenant_heads head
     LEFT JOIN subscription_partitions old ON old.tenant_id = head.tenant_id AND old.name = $1
     LEFT JOIN subscription_partitions new ON new.tenant_id = head.tenant_id AND new.name = $2`,
    [old, nameOf(copy)],
  );
  const behind = rows[0]?.behind;
  if (behind === undefined) throw new AppError('INTERNAL');
  return behind;
}

async function lockPlaces(client: pg.PoolClient, subscription: string): Promise<void> {
  await client.query('SELECT FROM subscription_partitions WHERE name = $1 ORDER BY tenant_id FOR UPDATE', [
    subscription,
  ]);
}
