import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { appendEvents } from '../adapters/postgres/event-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { createTenantPool, tenantPool } from '../adapters/postgres/tenant-pool.ts';
import type { NewEvent } from '../domain/events/stored-event.ts';
import { type Emmett, startEmmett } from './emmett.ts';
import { type BenchResult, compared, median } from './report.ts';
import { startBenchServers } from './servers.ts';

const BATCH = 1_000;
const BATCHES_A_ROUND = 20;
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 9);
const TENANT = 'bench';
const WRITERS = 4;
const NO_STORAGE = { cipher: null, bodies: null, writesTo: 'table' } as const;

type Rates = { copy: number; one: number; many: number; emmett: number | null };
type Sides = { owner: pg.Pool; of: (tenantId: string) => pg.Pool; emmett: Emmett | null };

/**
 * Appends with everything on (row-level security of the tenant, partitions, unique keys, chain, tenant head, stream versions, blocks)
 * against COPY into a table with nothing on it.
 */
export async function append(): Promise<BenchResult[]> {
  const servers = await startBenchServers({ temporal: false });
  const { DATABASE_URL: url } = servers.settings;
  const owner = createPool(url, 4, undefined, 'owner');
  const tenants = createTenantPool(url, WRITERS, NO_STORAGE);
  await owner.query('CREATE DATABASE emmett');
  const emmett = await startEmmett(Object.assign(new URL(url), { pathname: 'emmett' }).href, BATCH, BATCHES_A_ROUND);
  try {
    await owner.query(`CREATE TABLE bare (tenant_id text, stream_key bigint, version integer, position bigint, event_id text,
      type text, schema_version smallint, occurred_at timestamptz, recorded_at timestamptz, correlation_id text,
      causation_id text, payload json)`);
    const sides = { owner, emmett, of: (tenantId: string) => tenantPool(tenants, tenantId) };
    await inTurn(sides, 2);
    const rates = await inTurn(sides, ROUNDS);
    await assertDense(owner);
    return results(rates);
  } finally {
    emmett?.stop();
    await tenants.end();
    await owner.end();
    await servers.stop();
  }
}

function results(rates: readonly Rates[]): BenchResult[] {
  const of = (pick: (rate: Rates) => number | null) => median(rates.map((rate) => pick(rate) ?? Number.NaN));
  const [copy, one, many] = [of((rate) => rate.copy), of((rate) => rate.one), of((rate) => rate.many)];
  const unit = 'events/s';
  const beside =
    rates[0]?.emmett === null
      ? []
      : [
          compared({
            name: `append, ${BATCH} events a batch, beside Emmett`,
            ...{ unit, value: one, baseline: of((rate) => rate.emmett), goal: { atLeast: 1 } },
          }),
        ];
  return [
    compared({ name: `append, ${BATCH} events a batch`, unit, value: one, baseline: copy, goal: { atLeast: 0.7 } }),
    compared({
      name: `append, ${BATCH} events a batch, ${WRITERS} tenants`,
      ...{ unit, value: many, baseline: copy, goal: { atLeast: 1.2 } },
    }),
    ...beside,
  ];
}

async function inTurn({ owner, of, emmett }: Sides, rounds: number): Promise<Rates[]> {
  const rates: Rates[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const batches = Array.from({ length: BATCHES_A_ROUND }, (_, batch) => makeEvents(batch));
    const copy = await rateOf(batches, (events, index) => copyIn(owner, events, index));
    const one = await rateOf(batches, appending(of(TENANT), TENANT));
    const writers = Array.from({ length: WRITERS }, (_, writer) => `${TENANT}-${writer}`);
    const begun = performance.now();
    await Promise.all(writers.map((tenantId) => rateOf(batches, appending(of(tenantId), tenantId))));
    const many = (WRITERS * BATCHES_A_ROUND * BATCH * 1000) / (performance.now() - begun);
    rates.push({ copy, one, many, emmett: emmett && (await emmett.round()) });
  }
  return rates;
}

function appending(pool: pg.Pool, tenantId: string): (events: NewEvent[], index: number) => Promise<void> {
  const streamId = `bench/${randomUUID()}`;
  return async (events, index) => {
    await appendEvents(pool, { tenantId, streamId, expectedVersion: index * BATCH, events });
  };
}

async function rateOf(
  batches: readonly NewEvent[][],
  write: (events: NewEvent[], index: number) => Promise<void>,
): Promise<number> {
  const begun = performance.now();
  for (const [index, events] of batches.entries()) await write(events, index);
  return (batches.length * BATCH * 1000) / (performance.now() - begun);
}

function makeEvents(batch: number): NewEvent[] {
  return Array.from({ length: BATCH }, (_, index) => ({
    eventId: randomUUID(),
    type: 'node.completed',
    schemaVersion: 1,
    occurredAt: new Date(),
    correlationId: `run-${batch}`,
    causationId: null,
    payload: {
      nodeId: `n${index}`,
      iteration: '1',
      output: { text: 'x'.repeat(300), score: index / 7, tags: ['a', 'b'] },
    },
  }));
}

async function copyIn(pool: pg.Pool, events: readonly NewEvent[], batch: number): Promise<void> {
  const client = await pool.connect();
  try {
    const rows = events.map((event, index) => copyRow(event, batch, index));
    await pipeline(Readable.from([rows.join('')]), client.query(copyFrom('COPY bare FROM STDIN')));
  } finally {
    client.release();
  }
}

function copyRow(event: NewEvent, batch: number, index: number): string {
  const at = event.occurredAt.toISOString();
  const version = batch * BATCH + index + 1;
  const payload = JSON.stringify(event.payload).replaceAll('\\', '\\\\');
  const columns = [
    TENANT,
    1,
    version,
    version,
    event.eventId,
    event.type,
    1,
    at,
    at,
    event.correlationId,
    '\\N',
    payload,
  ];
  return `${columns.join('\t')}\n`;
}

async function assertDense(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ dense: boolean }>(
    'SELECT bool_and(dense) AS dense FROM (SELECT count(*) = max(position) AS dense FROM events GROUP BY tenant_id) each_tenant',
  );
  if (!rows[0]?.dense) throw new Error('positions have gaps');
}
