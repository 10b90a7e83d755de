import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { appendEvents } from '../adapters/postgres/event-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import type { NewEvent } from '../domain/events/stored-event.ts';
import { type BenchResult, compared, median } from './report.ts';
import { startBenchServers } from './servers.ts';

const BATCH = 1_000;
const BATCHES_A_ROUND = 20;
const ROUNDS = 9;
const TENANT = 'bench';

/** Appends with everything on (unique keys, tenant head, stream versions) against COPY into a table with nothing on it. */
export async function append(): Promise<BenchResult[]> {
  const servers = await startBenchServers({ temporal: false });
  const pool = createPool(servers.settings.DATABASE_URL, 4, undefined, 'owner');
  try {
    await pool.query(`CREATE TABLE bare (tenant_id text, stream_key bigint, version integer, position bigint, event_id text,
      type text, schema_version smallint, occurred_at timestamptz, recorded_at timestamptz, correlation_id text,
      causation_id text, payload json)`);
    await inTurn(pool, 2);
    const rates = await inTurn(pool, ROUNDS);
    await assertDense(pool);
    return [
      compared({
        name: `append, ${BATCH} events a batch`,
        unit: 'events/s',
        value: median(rates.map(({ ours }) => ours)),
        baseline: median(rates.map(({ copy }) => copy)),
        goal: { atLeast: 0.7 },
      }),
    ];
  } finally {
    await pool.end();
    await servers.stop();
  }
}

async function inTurn(pool: pg.Pool, rounds: number): Promise<{ ours: number; copy: number }[]> {
  const rates: { ours: number; copy: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const batches = Array.from({ length: BATCHES_A_ROUND }, (_, batch) => makeEvents(batch));
    const copy = await rateOf(batches, (events, index) => copyIn(pool, events, index));
    const streamId = `bench/${randomUUID()}`;
    const ours = await rateOf(batches, async (events, index) => {
      await appendEvents(pool, { tenantId: TENANT, streamId, expectedVersion: index * BATCH, events });
    });
    rates.push({ ours, copy });
  }
  return rates;
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
    'SELECT count(*) = max(position) AS dense FROM events WHERE tenant_id = $1',
    [TENANT],
  );
  if (!rows[0]?.dense) throw new Error('positions have gaps');
}
