import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { createPool } from '../adapters/postgres/pool.ts';
import { recordEvents } from '../adapters/postgres/record-events.ts';
import { streamKey } from '../adapters/redis/redis-event-stream.ts';
import { startRedis, type TestRedis } from '../tests/redis-server.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../tests/servers.ts';

const SENDER = join(import.meta.dirname, '../tests/outbox-sender.ts');
const MINUTES = 60_000;

describe('the outbox to Redis', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let redis: TestRedis;
  const senders = new Set<ChildProcess>();
  beforeAll(async () => {
    redis = await startRedis();
    database = await createTestDatabase();
    pool = createPool(database.url, 4);
  }, 5 * MINUTES);
  afterAll(async () => {
    for (const sender of senders) sender.kill('SIGKILL');
    await pool?.end();
    await redis?.stop();
    await database?.drop();
  });

  async function send(): Promise<ChildProcess> {
    const sender = fork(SENDER, [database.url, redis.url], { execArgv: [], stdio: 'ignore' as never });
    senders.add(sender);
    await once(sender, 'message');
    return sender;
  }
  async function kill(sender: ChildProcess): Promise<void> {
    const gone = once(sender, 'exit');
    sender.kill('SIGKILL');
    await gone;
    senders.delete(sender);
  }
  const record = async (tenantId: string, id: string, count: number) => {
    const payload = { id, by: null, note: null };
    const events = Array.from({ length: count }, () => ({ type: 'schedule.paused' as const, id, payload }));
    await recordEvents(pool, tenantId, events);
  };
  type Entry = { id: string; fields: Record<string, string> };
  const entriesOf = async (tenantId: string): Promise<Entry[]> =>
    (await redis.client.xrange(streamKey(tenantId), '-', '+')).map(([id, list]) => ({
      id,
      fields: Object.fromEntries(list.flatMap((name, at) => (at % 2 ? [] : [[name, list[at + 1] as string]]))),
    }));
  const storedOf = async (tenantId: string) =>
    (
      await pool.query<{ id: string; place: string }>(
        `SELECT event_id AS id, stream_id || ' ' || event.version AS place FROM events event JOIN event_streams USING (stream_key)
         WHERE event.tenant_id = $1 ORDER BY position`,
        [tenantId],
      )
    ).rows;
  const until = async (condition: () => Promise<boolean>) => {
    while (!(await condition())) await sleep(50);
  };
  const published = async (tenantId: string) => {
    const stored = await storedOf(tenantId);
    await until(async () => (await entriesOf(tenantId)).length >= stored.length);
    const entries = await entriesOf(tenantId);
    expect(
      entries.map(({ fields }) => ({ id: fields['id'], place: `${fields['stream']} ${fields['version']}` })),
    ).toEqual(stored);
    expect(entries.map(({ id }) => id)).toEqual(stored.map((_, index) => `${index + 1}-0`));
    return entries;
  };

  it(
    'has every event once, in order, whenever its sender is killed and however many there are',
    async () => {
      const tenants = [uniqueName('one'), uniqueName('two')];
      let isWriting = true;
      const writing = (async () => {
        for (let round = 0; round < 150; round += 1) {
          for (const tenant of tenants) await record(tenant, `s${round % 4}`, 1 + (round % 7));
          await sleep(5);
        }
        isWriting = false;
      })();
      let other = await send();
      while (isWriting) {
        const sender = await send();
        await sleep(40 + Math.random() * 200);
        await kill(other);
        other = sender;
      }
      await writing;
      for (const tenant of tenants) {
        const [entry] = await published(tenant);
        expect(JSON.parse(entry!.fields['event']!)).toMatchObject({
          type: 'schedule.paused',
          version: 1,
          position: '1',
        });
      }
      await kill(other);
    },
    3 * MINUTES,
  );

  it(
    'goes on when Redis was away, and gives an emptied Redis everything again',
    async () => {
      const tenant = uniqueName('away');
      const sender = await send();
      await record(tenant, 'a', 50);
      await published(tenant);
      await redis.kill();
      await record(tenant, 'b', 50);
      await sleep(700);
      await redis.start();
      await published(tenant);
      await kill(sender);
      await redis.client.flushall();
      await record(tenant, 'a', 1);
      const next = await send();
      await published(tenant);
      await kill(next);
    },
    3 * MINUTES,
  );
});
