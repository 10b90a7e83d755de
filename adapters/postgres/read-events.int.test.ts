import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { type EventFilter, matchesFilter } from '../../domain/events/event-filter.ts';
import type { StoredEvent } from '../../domain/events/stored-event.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/servers.ts';
import { appendEvents, readTenantEvents } from './event-store.ts';
import { verifyEvents } from './event-verification.ts';
import { createPool } from './pool.ts';
import { type EventListing, readEvents } from './read-events.ts';

const TENANT = 'reader';
const COUNT = 5_000;

describe('reading events', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let all: StoredEvent[];
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool(database.url, 4);
    for (let at = 0; at < COUNT; at += 500) {
      for (const streamId of ['a', 'b']) await append(streamId, at / 2, 250, at);
      await append('c', 'any', 1, at, 'rare_thing.seen', 'work-rare');
    }
    await pool.query(
      `INSERT INTO event_streams (tenant_id, stream_id, run_id, temporal_run_id) VALUES ($1, 'run/r/1', 'r', '1')`,
      [TENANT],
    );
    await append('run/r/1', 'any', 3, 0, 'node.completed', null);
    await append('d', 'any', 2, 0, 'tool.called', 'r');
    all = await readTenantEvents(pool, { tenantId: TENANT, after: 0n, first: 10_000 });
  });
  afterAll(async () => {
    await pool?.end();
    await database?.drop();
  });

  const append = (
    streamId: string,
    expectedVersion: number | 'any',
    count: number,
    from: number,
    type?: string,
    correlationId: string | null = 'work',
  ) =>
    appendEvents(pool, {
      tenantId: TENANT,
      streamId,
      expectedVersion,
      events: Array.from({ length: count }, (_, index) => ({
        eventId: `${streamId}-${from + index}`,
        type: type ?? (index % 3 ? 'thing.done' : 'thing.begun'),
        schemaVersion: 1,
        occurredAt: new Date(),
        correlationId: correlationId === 'work' ? `work-${Math.floor((from + index) / 300)}` : correlationId,
        causationId: null,
        payload: { index },
      })),
    });

  /** Page by page to the end. */
  async function pages(filter: EventFilter, options: Pick<EventListing, 'newestFirst' | 'after'> & { first: number }) {
    const found: StoredEvent[] = [];
    let { after } = options;
    for (;;) {
      const page = await readEvents(pool, { tenantId: TENANT, filter, ...options, after });
      found.push(...page);
      if (page.length < options.first) return found;
      after = page.at(-1)!.position;
    }
  }

  it.each<[string, EventFilter]>([
    ['everything', {}],
    ['a stream', { streamId: 'b' }],
    ['a frequent type', { types: ['thing.begun'] }],
    ['a rare type', { types: ['rare_thing.seen'] }],
    ['a kind and a type', { types: ['rare_thing.*', 'tool.called'] }],
    ['a kind whose name has a _', { types: ['rare_thing.*'] }],
    ['a correlation id', { correlationId: 'work-3' }],
    ['a run, with what names it', { correlationId: 'r' }],
    ['a type in a correlation', { correlationId: 'work-3', types: ['thing.begun'] }],
    ['a type in a stream', { streamId: 'a', types: ['thing.done'] }],
    ['all but a kind', { withoutKinds: ['thing'] }],
    ['a type that is left out', { types: ['thing.done', 'tool.called'], withoutKinds: ['tool'] }],
    ['nothing', { types: ['no.such'] }],
  ])('gives %s, in order, whatever the page, from either end', async (_, filter) => {
    const expected = all.filter((event) => matchesFilter(filter, event));
    for (const first of [40, 10_000]) {
      const found = await pages(filter, { first: Math.max(first, Math.ceil(expected.length / 12)) });
      expect(found.map(({ position }) => position)).toEqual(expected.map(({ position }) => position));
    }
    expect(await pages(filter, { first: 1_000, newestFirst: true })).toEqual(expected.toReversed());
    const after = 1_500n;
    expect(await pages(filter, { first: 400, after })).toEqual(expected.filter(({ position }) => position > after));
  });

  it('gives what was recorded in a time', async () => {
    const moments = [all[100]!, all[1_900]!, all[4_000]!].map(({ recordedAt }) => recordedAt);
    for (const [recordedFrom, recordedBefore] of [
      [moments[0], moments[1]],
      [moments[1], undefined],
      [undefined, moments[2]],
      [new Date(0), new Date('2100-01-01')],
      [new Date('2100-01-01'), undefined],
    ]) {
      const within = ({ recordedAt }: StoredEvent) =>
        (!recordedFrom || recordedAt >= recordedFrom) && (!recordedBefore || recordedAt < recordedBefore);
      const filter = { recordedFrom, recordedBefore };
      expect(await pages(filter, { first: 10_000 })).toEqual(all.filter(within));
      const rare = { ...filter, types: ['rare_thing.seen'] };
      expect(await pages(rare, { first: 3, newestFirst: true })).toEqual(
        all.filter((event) => within(event) && matchesFilter(rare, event)).toReversed(),
      );
    }
  });

  it('keeps tenants apart', async () => {
    expect(await readEvents(pool, { tenantId: 'other', filter: { streamId: 'a' }, first: 10 })).toEqual([]);
    expect(await readEvents(pool, { tenantId: 'other', filter: { correlationId: 'r' }, first: 10 })).toEqual([]);
    expect(await readEvents(pool, { tenantId: 'other', filter: { types: ['thing.done'] }, first: 10 })).toEqual([]);
  });

  it('are found by type as long as the rows that say where they are stand: verifying names one that is gone', async () => {
    expect((await verifyEvents(pool, {})).found).toEqual([]);
    await pool.query("DELETE FROM event_blocks WHERE key = 'rare_thing.seen' AND block > 0");
    const { found } = await verifyEvents(pool, {});
    expect(found).toMatchObject([
      { tenantId: TENANT, kind: 'UNLISTED', detail: expect.stringContaining('rare_thing.seen') },
    ]);
  });
});
