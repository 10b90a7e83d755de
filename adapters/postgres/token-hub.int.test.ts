import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { TokenEvent, TokenRecord } from '../../domain/models/token-event.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../../tests/servers.ts';
import { createPool } from './pool.ts';
import { FROM_THE_START, openTokenHub, type TokenCursor, type TokenHub } from './token-hub.ts';
import { createTokenPublisher } from './token-publisher.ts';

let database: TestDatabase;
let pool: pg.Pool;
let hub: TokenHub;
let publisher: ReturnType<typeof createTokenPublisher>;
const failures: unknown[] = [];
const publish = (flushMs: number) =>
  createTokenPublisher(pool, { flushMs, retentionMinutes: 15, onError: (error) => failures.push(error) });

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 5);
  hub = openTokenHub(pool, database.url, () => undefined);
  publisher = publish(20);
});
afterAll(async () => {
  await publisher?.close();
  await hub?.close();
  await pool?.end();
  await database?.drop();
});

const placeOf = (runId: string) => ({ runId, nodeId: 'write', iteration: '1' });
const text = (words: string): TokenEvent => ({ type: 'text', text: words });
const textOf = (records: readonly TokenRecord[]) =>
  records.map(({ event }) => (event.type === 'text' ? event.text : '')).join('');

/** Reads as a door does, until a text has come. */
async function readUntil(runId: string, end: string, from: TokenCursor = FROM_THE_START): Promise<TokenRecord[]> {
  const seen: TokenRecord[] = [];
  let cursor = from;
  while (!textOf(seen).includes(end)) {
    const more = hub.next(runId, AbortSignal.timeout(10_000));
    const records = await hub.read(placeOf(runId), cursor);
    seen.push(...records);
    const last = records.at(-1);
    if (last) cursor = { attempt: last.attempt, seq: last.seq };
    if (records.length === 0) await more;
    else more.catch(() => undefined);
  }
  return seen;
}

describe('tokens between processes', () => {
  it('come in their order to many readers, however they were bundled, and none twice', async () => {
    const runs = Array.from({ length: 4 }, () => uniqueName('run'));
    const words = Array.from({ length: 120 }, (_, index) => `${index} `);
    const reading = runs.flatMap((run) => [readUntil(run, '119 '), readUntil(run, '119 ')]);
    const writers = runs.map((run) => publisher.open({ ...placeOf(run), attempt: 1 }));
    for (const word of words) {
      for (const writer of writers) writer.write(text(word));
      await sleep(1);
    }
    for (const records of await Promise.all(reading)) {
      expect(textOf(records)).toBe(words.join(''));
      expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1));
      expect(records.length).toBeLessThan(words.length);
    }
  });

  it('are taken up where a reader was', async () => {
    const run = uniqueName('run');
    const writer = publisher.open({ ...placeOf(run), attempt: 1 });
    writer.write(text('one '));
    const [first] = await readUntil(run, 'one ');
    writer.write(text('two '));
    expect(textOf(await readUntil(run, 'two ', { attempt: 1, seq: first!.seq }))).toBe('two ');
  });

  it('are those of the newest attempt', async () => {
    const run = uniqueName('run');
    const [before, after] = [1, 2].map((attempt) => publisher.open({ ...placeOf(run), attempt }));
    before!.write(text('half of it'));
    await before!.close();
    after!.write({ type: 'reset', reason: 'retry' });
    after!.write(text('all of it'));
    await after!.close();
    const records = await hub.read(placeOf(run), FROM_THE_START);
    expect(records.map(({ attempt }) => attempt)).toEqual([2, 2]);
    expect(textOf(records)).toBe('all of it');
    expect((await hub.read(placeOf(run), { attempt: 1, seq: 1 }))[0]!.event).toEqual({
      type: 'reset',
      reason: 'retry',
    });
  });

  it('of each event but text keep their own place', async () => {
    const run = uniqueName('run');
    const writer = publisher.open({ ...placeOf(run), attempt: 1 });
    const events: TokenEvent[] = [
      { type: 'start', provider: 'openai', model: 'gpt-5' },
      { type: 'reasoning', text: 'Hm.' },
      text('a'),
      { type: 'tool-call', call: { type: 'tool-call', id: 'c', name: 'look', input: {} } },
      text('b'),
    ];
    for (const event of events) writer.write(event);
    await writer.close();
    expect((await hub.read(placeOf(run), FROM_THE_START)).map(({ event }) => event)).toEqual(events);
  });

  it('are lost without harm when the database does not take them', async () => {
    const closed = createPool(database.url, 1);
    await closed.end();
    const errors: unknown[] = [];
    const broken = createTokenPublisher(closed, {
      flushMs: 5,
      retentionMinutes: 15,
      onError: (error) => errors.push(error),
    });
    const writer = broken.open({ ...placeOf(uniqueName('run')), attempt: 1 });
    writer.write(text('x'));
    await writer.close();
    expect(errors).toHaveLength(1);
    await broken.close();
    expect(failures).toEqual([]);
  });
});
