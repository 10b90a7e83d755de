import type pg from 'pg';
import { type Candidate, type Capacity, waitedFor } from '../../domain/runs/flow-control/admit.ts';
import type { Turns } from '../../domain/runs/flow-control/fair-turns.ts';

const COMMON_CLOCK = '';

/** What is held and what has started of everything that the candidates ask for, and the database's time in ms. */
export async function readCapacity(
  client: pg.PoolClient,
  tenantId: string,
  candidates: readonly Candidate[],
): Promise<Capacity & { now: number }> {
  const names = new Set(candidates.flatMap((candidate) => waitedFor(candidate).map(({ name }) => name)));
  const rates = new Map(candidates.flatMap(({ rate }) => (rate ? [[rate.name, rate] as const] : [])));
  const held = await client.query<{ name: string; held: number }>(
    'SELECT name, count(*)::int AS held FROM run_leases WHERE tenant_id = $1 AND name = ANY($2) GROUP BY name',
    [tenantId, [...names]],
  );
  const starts = rates.size === 0 ? new Map<string, number[]>() : await readStarts(client, tenantId, rates);
  const clock = await client.query<{ now: number }>(
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
  );
  return {
    held: new Map(held.rows.map((row) => [row.name, row.held])),
    starts,
    now: clock.rows[0]?.now ?? 0,
  };
}

async function readStarts(
  client: pg.PoolClient,
  tenantId: string,
  rates: ReadonlyMap<string, { limit: number }>,
): Promise<Map<string, number[]>> {
  const { rows } = await client.query<{ name: string; at: number[] }>(
    `SELECT rate.name, array(
       SELECT (extract(epoch FROM started_at) * 1000)::float8 FROM (
         SELECT started_at FROM rate_starts WHERE tenant_id = $1 AND name = rate.name ORDER BY started_at DESC LIMIT rate.most
       ) AS newest ORDER BY started_at) AS at
     FROM unnest($2::text[], $3::int[]) AS rate(name, most)`,
    [tenantId, [...rates.keys()], [...rates.values()].map(({ limit }) => limit)],
  );
  return new Map(rows.map((row) => [row.name, row.at]));
}

export async function readTurns(
  client: pg.PoolClient,
  tenantId: string,
  candidates: readonly Candidate[],
): Promise<Turns> {
  const keys = new Set(candidates.map(({ turn }) => turn.key));
  const { rows } = await client.query<{ turn: string; served: number }>(
    'SELECT turn, served FROM fair_turns WHERE tenant_id = $1 AND turn = ANY($2)',
    [tenantId, [COMMON_CLOCK, ...[...keys].map(stored)]],
  );
  const served = new Map(rows.map((row) => [row.turn, row.served]));
  const clock = served.get(COMMON_CLOCK) ?? 0;
  served.delete(COMMON_CLOCK);
  return { clock, served: new Map([...served].map(([turn, at]) => [turn.slice(1), at])) };
}

/** A key whose clock is not ahead of the common one counts as new: its row says nothing and goes. */
export async function writeTurns(
  client: pg.PoolClient,
  tenantId: string,
  { clock, served }: Turns,
  admitted: readonly Candidate[],
): Promise<void> {
  const keys = [...new Set(admitted.map(({ turn }) => turn.key))];
  await client.query(
    `INSERT INTO fair_turns (tenant_id, turn, served) SELECT $1, * FROM unnest($2::text[], $3::float8[])
     ON CONFLICT (tenant_id, turn) DO UPDATE SET served = excluded.served`,
    [tenantId, [COMMON_CLOCK, ...keys.map(stored)], [clock, ...keys.map((key) => served.get(key) ?? 0)]],
  );
  await client.query(`DELETE FROM fair_turns WHERE tenant_id = $1 AND turn <> '' AND served <= $2`, [tenantId, clock]);
}

/** No key is stored under the name of the common clock. */
const stored = (key: string): string => `=${key}`;
