import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { hintRuns } from '../adapters/postgres/run-hints.ts';
import { codeDefinition } from '../domain/runs/code-workflow.ts';
import { type FeedSite, openFeedSite } from '../tests/feed-site.ts';
import type { FollowersLimits } from './projector-followers.ts';

const RUNS = 60;
const SIGNALS = 20;
const LIMITS: FollowersLimits = { followers: 20, backlog: 2, eventsInFlight: 200 };
let site: FeedSite;

beforeAll(async () => {
  site = await openFeedSite();
}, 120_000);
afterEach(() => site.stopProjectors());
afterAll(() => site?.close());

/** A run with a history of its start and so many signals; nobody works on it. */
async function signalled(signals: number): Promise<string> {
  const { id } = await site.insert(codeDefinition('waiting'));
  const handle = await site.client.workflow.start('waiting', { workflowId: id, taskQueue: 'runs', args: [] });
  await Promise.all(Array.from({ length: signals }, (_, index) => handle.signal('ping', index)));
  return id;
}

/** As after a day without a projector. */
async function backlogOf(runs: number): Promise<string[]> {
  const ids: string[] = [];
  for (let made = 0; made < runs; made += 10)
    ids.push(...(await Promise.all(Array.from({ length: 10 }, () => signalled(SIGNALS)))));
  await hintRuns(site.pool, ids);
  await site.pool.query("UPDATE run_hints SET hinted_at = now() - interval '1 day'");
  return ids;
}

async function count(what: string, values: unknown[] = []): Promise<number> {
  const { rows } = await site.pool.query<{ count: bigint }>(
    `SELECT count(${what}) FROM events JOIN event_streams USING (stream_key)
     WHERE $1::text[] IS NULL OR run_id = ANY($1)`,
    values.length > 0 ? values : [null],
  );
  return Number(rows[0]?.count);
}

async function untilStored(ids: readonly string[], events: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; (await count('*', [ids])) < events; await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`${await count('*', [ids])} of ${events} events came`);
  }
}

describe('the feed with a backlog', () => {
  it('stores what happens now before what waits', async () => {
    const backlog = await backlogOf(RUNS);
    const live = await signalled(0);
    await site.project({ limits: LIMITS });
    await untilStored(backlog, 1);
    const begun = await count('DISTINCT run_id');
    await hintRuns(site.pool, [live]);
    await untilStored([live], 2);
    await untilStored(backlog, RUNS * (SIGNALS + 2));
    const { rows } = await site.pool.query<{ before: bigint }>(
      `SELECT count(DISTINCT run_id) AS before FROM events JOIN event_streams USING (stream_key)
       WHERE position < (SELECT min(position) FROM events JOIN event_streams USING (stream_key) WHERE run_id = $1)`,
      [live],
    );
    // Those under way at the hint, and those that came and went while the live run was read.
    expect(Number(rows[0]?.before) - begun).toBeLessThan(RUNS / 2);
  }, 120_000);

  it('reads no more than it may hold while Postgres does not take it, and all of it afterwards', async () => {
    const backlog = await backlogOf(RUNS);
    const registry = await holding(async () => {
      const metrics = await site.project({ limits: { ...LIMITS, backlog: 20 } });
      const held: number[] = [];
      for (let tries = 0; tries < 200 && (held.at(-1) ?? 0) === 0; tries += 1, await sleep(20))
        held.push(await gauge(metrics, 'weft_feed_events_in_flight'));
      for (let tries = 0; tries < 50; tries += 1, await sleep(20))
        held.push(await gauge(metrics, 'weft_feed_events_in_flight'));
      expect(Math.max(...held)).toBeGreaterThan(0);
      // The least page is of 50 events, which a history of 22 does not fill.
      expect(Math.max(...held)).toBeLessThanOrEqual(LIMITS.followers * (SIGNALS + 2));
      return metrics;
    });
    await untilStored(backlog, RUNS * (SIGNALS + 2));
    const text = await registry.metrics();
    expect(text).toMatch(new RegExp(`weft_feed_events_total\\{lane="backlog"\\} ${RUNS * (SIGNALS + 2)}`));
  }, 120_000);
});

/** While nobody can write events. */
async function holding<Result>(work: () => Promise<Result>): Promise<Result> {
  const holder = await site.pool.connect();
  try {
    await holder.query('BEGIN');
    await holder.query('SET LOCAL ROLE none; LOCK TABLE events IN SHARE MODE');
    return await work();
  } finally {
    await holder.query('ROLLBACK');
    holder.release();
  }
}

async function gauge(registry: { getSingleMetric(name: string): unknown }, name: string): Promise<number> {
  const metric = registry.getSingleMetric(name) as { get(): Promise<{ values: { value: number }[] }> };
  return (await metric.get()).values[0]?.value ?? 0;
}
