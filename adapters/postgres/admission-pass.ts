import type pg from 'pg';
import {
  admit,
  type Admissions,
  type Blocked,
  type Candidate,
  type Capacity,
  waitedFor,
} from '../../domain/runs/flow-control/admit.ts';
import type { FlowRequest } from '../../domain/runs/flow-control/flow-request.ts';
import { replaceOldest } from '../../domain/runs/flow-control/replace-oldest.ts';
import { flowLock } from './accept-run.ts';
import { readCapacity, readTurns, writeTurns } from './flow-capacity.ts';

export type Pass = {
  admitted: string[];
  /** Runs that make room before they have begun. */
  dropped: string[];
  /** There is more to admit at once. */
  more: boolean;
};

/** Candidates looked at together, of those that nobody has looked at yet. */
const FRESH = 500;
/** Candidates of one line: those that wait for one name with one fairness key and priority. */
const LINE = 100;
const REPLACED = JSON.stringify({ type: 'run.cancelled', reason: 'a newer run took its place' });
const NOTHING: Pass = { admitted: [], dropped: [], more: false };
const SERIALIZATION_FAILURE = /^40/;
const ATTEMPTS = 10;

/**
 * Admits up to `most` runs of a tenant: takes their leases and marks them, in one transaction. Undefined while another process does.
 * The lock is the session's and taken first, so that the transaction sees everything that its last holder did, at one moment.
 */
export async function passAdmissions(pool: pg.Pool, tenantId: string, most: number): Promise<Pass | undefined> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    const { rows } = await client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked',
      [flowLock(tenantId)],
    );
    if (!rows[0]?.locked) return undefined;
    const pass = await withRetries(client, () => passWithin(client, tenantId, most));
    await client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [flowLock(tenantId)]);
    return pass;
  } catch (error) {
    // The lock goes with the connection.
    failure = error as Error;
    throw error;
  } finally {
    client.release(failure);
  }
}

/** A lease that is released meanwhile makes the transaction fail when it marks it: it is simply tried again. */
async function withRetries(client: pg.PoolClient, work: () => Promise<Pass>): Promise<Pass> {
  for (let attempt = 1; ; attempt += 1) {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    try {
      const pass = await work();
      await client.query('COMMIT');
      return pass;
    } catch (error) {
      await client.query('ROLLBACK');
      if (attempt === ATTEMPTS || !SERIALIZATION_FAILURE.test(String((error as { code?: unknown }).code))) throw error;
    }
  }
}

async function passWithin(client: pg.PoolClient, tenantId: string, most: number): Promise<Pass> {
  const total: Pass = { ...NOTHING, admitted: [], dropped: [] };
  let names = await takeNews(client, tenantId);
  let fresh = await readFresh(client, tenantId);
  total.more = fresh.length === FRESH;
  while (names.length > 0 || fresh.length > 0) {
    const lines = await readRoomyLines(client, tenantId, names);
    const candidates = [...fresh, ...lines];
    const { now, ...capacity } = await readCapacity(client, tenantId, candidates);
    const turns = await readTurns(client, tenantId, candidates);
    const result = admit(candidates, capacity, { turns, now, most: most - total.admitted.length });
    await write(client, tenantId, result, now);
    total.admitted.push(...result.admitted.map(({ runId }) => runId));
    total.dropped.push(...(await makeRoom(client, tenantId, result.blocked)));
    const full = new Set(result.blocked.map(({ on }) => on.name));
    const open = names.filter((name) => !full.has(name));
    if (total.admitted.length >= most) {
      await giveBack(client, tenantId, open);
      return { ...total, more: true };
    }
    names = movedOn(open, lines, result);
    fresh = [];
  }
  return total;
}

/** Names whose line has lost its first runs, so that others stand there now. */
function movedOn(
  names: readonly string[],
  lines: readonly Waiting[],
  { admitted, blocked }: Admissions<Waiting>,
): string[] {
  const gone = new Set<Candidate>([...admitted, ...blocked.map(({ candidate }) => candidate)]);
  const moved = new Set(lines.filter((candidate) => gone.has(candidate)).map(({ waitsFor }) => waitsFor));
  return names.filter((name) => moved.has(name));
}

/** Takes along which names have become free since the last pass. */
async function takeNews(client: pg.PoolClient, tenantId: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `WITH freed AS (DELETE FROM lease_releases WHERE tenant_id = $1 RETURNING name),
          due AS (DELETE FROM rate_wakes WHERE tenant_id = $1 AND due_at <= clock_timestamp() RETURNING name)
     SELECT name FROM freed UNION SELECT name FROM due`,
    [tenantId],
  );
  return rows.map(({ name }) => name);
}

async function giveBack(client: pg.PoolClient, tenantId: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await client.query('INSERT INTO lease_releases (tenant_id, name) SELECT $1, unnest($2::text[])', [tenantId, names]);
}

type Waiting = Candidate & { waitsFor: string | null };
type Row = {
  run_id: string;
  sequence: bigint;
  priority: number;
  turn: string;
  waited_ms: number;
  waits_for: string | null;
  request: Pick<FlowRequest, 'leases' | 'rate'> & { weight: number };
};
const COLUMNS = `run_id, sequence, priority, turn, waits_for, request,
  (extract(epoch FROM clock_timestamp() - greatest(since, ready_at)) * 1000)::float8 AS waited_ms`;

async function readFresh(client: pg.PoolClient, tenantId: string): Promise<Waiting[]> {
  const { rows } = await client.query<Row>(
    `SELECT ${COLUMNS} FROM run_admissions
     WHERE tenant_id = $1 AND state = 'WAITING' AND waits_for IS NULL AND ready_at <= clock_timestamp()
     ORDER BY sequence LIMIT ${FRESH}`,
    [tenantId],
  );
  return rows.map(waitingOf);
}

/** Of each line as many as there is room for: mostly one, as places become free one by one. */
async function readRoomyLines(client: pg.PoolClient, tenantId: string, names: readonly string[]): Promise<Waiting[]> {
  const first = await readLines(client, tenantId, new Map(names.map((name) => [name, 1])));
  const capacity = await readCapacity(client, tenantId, first);
  const room = new Map<string, number>();
  for (const candidate of first) {
    const name = candidate.waitsFor ?? '';
    room.set(name, Math.max(room.get(name) ?? 1, roomFor(candidate, name, capacity)));
  }
  const roomy = new Map(
    [...room].filter(([, places]) => places > 1).map(([name, places]) => [name, Math.min(LINE, places)]),
  );
  if (roomy.size === 0) return first;
  const rest = first.filter(({ waitsFor }) => !roomy.has(waitsFor ?? ''));
  return [...rest, ...(await readLines(client, tenantId, roomy))];
}

function roomFor({ leases, rate }: Candidate, name: string, { held, starts, now }: Capacity & { now: number }): number {
  const lease = leases.find((one) => one.name === name);
  if (lease) return lease.limit - (held.get(name) ?? 0);
  if (rate?.name !== name) return 0;
  return rate.limit - (starts.get(name) ?? []).filter((at) => at > now - rate.periodMs).length;
}

/** The first of each line, found by jumping from one (key, priority) to the next: a long line costs no more than a short one. */
async function readLines(
  client: pg.PoolClient,
  tenantId: string,
  most: ReadonlyMap<string, number>,
): Promise<Waiting[]> {
  if (most.size === 0) return [];
  const { rows } = await client.query<Row>(
    `WITH RECURSIVE line AS (
       SELECT name, most, first.turn, first.priority FROM unnest($2::text[], $3::int[]) AS asked(name, most), LATERAL (
         SELECT turn, priority FROM run_admissions
         WHERE tenant_id = $1 AND waits_for = name AND state = 'WAITING' ORDER BY turn, priority LIMIT 1) first
       UNION ALL
       SELECT line.name, line.most, next.turn, next.priority FROM line, LATERAL (
         SELECT turn, priority FROM run_admissions
         WHERE tenant_id = $1 AND waits_for = line.name AND state = 'WAITING' AND (turn, priority) > (line.turn, line.priority)
         ORDER BY turn, priority LIMIT 1) next
     )
     SELECT found.* FROM line, LATERAL (
       SELECT ${COLUMNS} FROM run_admissions
       WHERE tenant_id = $1 AND waits_for = line.name AND turn = line.turn AND priority = line.priority AND state = 'WAITING'
       ORDER BY sequence LIMIT line.most) found`,
    [tenantId, [...most.keys()], [...most.values()]],
  );
  return rows.map(waitingOf);
}

const waitingOf = (row: Row): Waiting => ({
  runId: row.run_id,
  sequence: Number(row.sequence),
  priority: row.priority,
  waitedMs: row.waited_ms,
  waitsFor: row.waits_for,
  leases: row.request.leases,
  rate: row.request.rate,
  turn: { key: row.turn, weight: row.request.weight },
});

async function write(
  client: pg.PoolClient,
  tenantId: string,
  { admitted, blocked, turns }: Admissions<Waiting>,
  now: number,
): Promise<void> {
  if (admitted.length > 0) {
    const runIds = admitted.map(({ runId }) => runId);
    await client.query(
      `UPDATE run_admissions SET state = 'ADMITTED', waits_for = NULL, tried_at = clock_timestamp() WHERE run_id = ANY($1)`,
      [runIds],
    );
    const places = admitted.flatMap((run) => waitedFor(run).map(({ name }) => ({ name, ...run })));
    await client.query(
      `INSERT INTO run_leases (tenant_id, name, run_id, sequence, held_since)
       SELECT $1, place.*, clock_timestamp() FROM unnest($2::text[], $3::text[], $4::bigint[]) AS place`,
      [
        tenantId,
        places.map(({ name }) => name),
        places.map(({ runId }) => runId),
        places.map(({ sequence }) => sequence),
      ],
    );
    await client.query(
      `INSERT INTO rate_starts (tenant_id, name, started_at)
       SELECT $1, unnest($2::text[]), to_timestamp($3::float8 / 1000)`,
      [tenantId, admitted.flatMap(({ rate }) => (rate ? [rate.name] : [])), now],
    );
    await forgetStarts(client, tenantId, admitted, now);
    await writeTurns(client, tenantId, turns, admitted);
  }
  await writeBlocked(client, tenantId, blocked);
}

async function writeBlocked(
  client: pg.PoolClient,
  tenantId: string,
  blocked: readonly Blocked<Waiting>[],
): Promise<void> {
  const moved = blocked.filter(({ candidate, on }) => candidate.waitsFor !== on.name);
  if (moved.length > 0) {
    await client.query(
      `UPDATE run_admissions SET waits_for = held.name FROM unnest($1::text[], $2::text[]) AS held(run_id, name)
       WHERE run_admissions.run_id = held.run_id`,
      [moved.map(({ candidate }) => candidate.runId), moved.map(({ on }) => on.name)],
    );
  }
  const wakes = new Map(blocked.flatMap(({ on, dueAt }) => (dueAt === null ? [] : [[on.name, dueAt] as const])));
  if (wakes.size === 0) return;
  await client.query(
    `INSERT INTO rate_wakes (tenant_id, name, due_at)
     SELECT $1, name, to_timestamp(due_at / 1000) FROM unnest($2::text[], $3::float8[]) AS wake(name, due_at)
     ON CONFLICT (tenant_id, name) DO UPDATE SET due_at = excluded.due_at`,
    [tenantId, [...wakes.keys()], [...wakes.values()]],
  );
}

/** Starts that no window reaches back to any more. */
async function forgetStarts(
  client: pg.PoolClient,
  tenantId: string,
  admitted: readonly Candidate[],
  now: number,
): Promise<void> {
  const rates = new Map(admitted.flatMap(({ rate }) => (rate ? [[rate.name, rate] as const] : [])));
  if (rates.size === 0) return;
  await client.query(
    `DELETE FROM rate_starts USING unnest($2::text[], $3::float8[]) AS rate(name, before)
     WHERE tenant_id = $1 AND rate_starts.name = rate.name AND started_at <= to_timestamp(rate.before / 1000)`,
    [tenantId, [...rates.keys()], [...rates.values()].map(({ periodMs }) => now - periodMs)],
  );
}

/** Where new runs replace old ones: marks the holders that have to leave, and gives the waiting ones that never begin. */
async function makeRoom(
  client: pg.PoolClient,
  tenantId: string,
  blocked: readonly Blocked<Waiting>[],
): Promise<string[]> {
  const limits = new Map(
    blocked.flatMap(({ on }) =>
      'onLimit' in on && on.onLimit === 'cancel-oldest' ? [[on.name, on.limit] as const] : [],
    ),
  );
  const dropped: string[] = [];
  for (const [name, limit] of limits) {
    const holders = await client.query<{ run_id: string }>(
      'SELECT run_id FROM run_leases WHERE tenant_id = $1 AND name = $2 ORDER BY sequence',
      [tenantId, name],
    );
    const waiting = await client.query<{ run_id: string }>(
      `SELECT run_id FROM run_admissions WHERE tenant_id = $1 AND waits_for = $2 AND state = 'WAITING' ORDER BY sequence`,
      [tenantId, name],
    );
    const { stop, drop } = replaceOldest(
      holders.rows.map((row) => row.run_id),
      waiting.rows.map((row) => row.run_id),
      limit,
    );
    await client.query(
      'UPDATE run_leases SET leaving = true WHERE tenant_id = $1 AND name = $2 AND run_id = ANY($3) AND NOT leaving',
      [tenantId, name, stop],
    );
    await client.query(`UPDATE run_admissions SET state = 'DROPPED', ending = $2 WHERE run_id = ANY($1)`, [
      drop,
      REPLACED,
    ]);
    dropped.push(...drop);
  }
  return dropped;
}
