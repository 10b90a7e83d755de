import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { WebSocket } from 'ws';
import { createPool } from '../../adapters/postgres/pool.ts';
import { recordEvents } from '../../adapters/postgres/record-events.ts';
import type { ShownEvent } from '../../domain/events/shown-event.ts';
import { type Reader, readSocket, readSse } from '../../tests/event-reader.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/servers.ts';

const DOOR = join(import.meta.dirname, '../../tests/event-door.ts');

describe('the doors by which other services follow events', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let door: ChildProcess;
  let url: string;
  const readers: Reader[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool(database.url, 4);
    await openDoor('0');
  });
  afterEach(async () => {
    await Promise.all(readers.splice(0).map((reader) => reader.stop()));
  });
  afterAll(async () => {
    door?.kill('SIGKILL');
    await pool?.end();
    await database?.drop();
  });

  async function openDoor(port: string): Promise<void> {
    door = fork(DOOR, [database.url, port], { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' } });
    const [address] = (await once(door, 'message')) as [AddressInfo];
    url = `http://127.0.0.1:${address.port}`;
  }
  const reading = <Kind extends Reader>(reader: Kind): Kind => {
    readers.push(reader);
    return reader;
  };
  let next = 0;
  const record = async (id: string, count = 1, size = 200) => {
    const made = Array.from({ length: count }, () => `event-${(next += 1)}`);
    const events = made.map((eventId) => ({
      ...{ type: 'schedule.paused' as const, id, eventId, correlationId: `work-${id}` },
      payload: { id, by: null, note: 'x'.repeat(size) },
    }));
    await recordEvents(pool, 'default', events);
    return made;
  };
  const ids = (events: readonly ShownEvent[]) => events.map(({ id }) => id);
  const until = async (condition: () => boolean) => {
    while (!condition()) await sleep(10);
  };

  it('give what comes from now on, or from a position, by either door', async () => {
    const before = await record('a', 3);
    const live = [reading(readSse(() => url)), reading(readSocket(() => url))];
    const all = [reading(readSse(() => url, { after: '0' })), reading(readSocket(() => url, { after: '0' }))];
    await until(() => all.every(({ received }) => received.length >= 3));
    await until(() => live.every((reader) => /^\d+$/.test(reader.position() ?? '')));
    const after = await record('b', 2);
    await until(() => [...live, ...all].every(({ received }) => ids(received).includes(after[1]!)));
    for (const { received } of live) expect(ids(received)).toEqual(after);
    for (const { received } of all) expect(ids(received)).toEqual([...before, ...after]);
    expect(all[0]!.received[4]).toMatchObject({ type: 'schedule.paused', streamId: 'schedule/b', version: 2 });
  });

  it('filter, and move on past what the filter leaves out', async () => {
    const query = '?type=schedule.*&stream=schedule/wanted';
    const sse = reading(readSse(() => url, { query }));
    const socket = reading(readSocket(() => url, { filter: { correlationId: 'work-wanted' } }));
    await until(() => sse.position() !== null && socket.position() !== 'head');
    const wanted = await record('wanted');
    await record('other', 4);
    const { rows } = await pool.query<{ head: bigint }>("SELECT head FROM tenant_heads WHERE tenant_id = 'default'");
    const head = String(rows[0]!.head);
    await until(() => sse.position() === head && socket.position() === head);
    expect(ids(sse.received)).toEqual(wanted);
    expect(ids(socket.received)).toEqual(wanted);
  });

  it('refuse what they do not understand', async () => {
    for (const query of ['?after=yesterday', '?type=every%20thing', '?stream=a&stream=b']) {
      const response = await fetch(`${url}/events${query}`);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'INPUT_INVALID' });
    }
    const socket = new WebSocket(`${url.replace('http', 'ws')}/events/socket`);
    await once(socket, 'open');
    for (const text of ['hello', '{"type":"subscribe","after":7}', '{"type":"subscribe","filter":{"all":true}}']) {
      socket.send(text);
      const [answer] = (await once(socket, 'message')) as [Buffer];
      expect(JSON.parse(answer.toString())).toMatchObject({ type: 'error', code: 'INPUT_INVALID' });
    }
    socket.terminate();
  });

  it.each(['/elsewhere', '//', '/events/socket/more?x=%'])('answer an upgrade of %s, and go on', async (target) => {
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    const upgrade = [
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
    ];
    socket.write([`GET ${target} HTTP/1.1`, 'Host: a', ...upgrade, '', ''].join('\r\n'));
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toMatch(/^HTTP\/1.1 404 /);
    expect((await fetch(`${url}/event-types`)).status).toBe(200);
  });

  it('show every type of event with its schema', async () => {
    const { eventTypes } = (await (await fetch(`${url}/event-types`)).json()) as { eventTypes: { type: string }[] };
    expect(eventTypes).toContainEqual(
      expect.objectContaining({
        type: 'node.failed',
        schemaVersion: 1,
        schema: expect.objectContaining({ type: 'object' }),
      }),
    );
  });

  it('wait for a reader that is slow, who then gets everything', async () => {
    const from = String(next);
    await record('slow', 3_000, 4_000);
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const sse = reading(readSse(() => url, { after: from, onEvent: () => held }));
    await until(() => sse.received.length === 1);
    await sleep(300);
    expect(sse.received).toHaveLength(1);
    go();
    await until(() => sse.received.length === 3_000);
    expect(new Set(ids(sse.received)).size).toBe(3_000);
  });

  it('lose nothing and keep the order when the sender is killed in the middle, each once by its id', async () => {
    const { rows } = await pool.query<{ head: bigint }>("SELECT head FROM tenant_heads WHERE tenant_id = 'default'");
    const after = String(rows[0]!.head);
    const both = [reading(readSse(() => url, { after })), reading(readSocket(() => url, { after }))];
    const made: string[] = [];
    let isKilling = true;
    const writing = (async () => {
      for (let round = 0; isKilling || round % 3 > 0; round += 1) {
        made.push(...(await record(`k${round % 3}`, 5)));
        await sleep(20);
      }
    })();
    for (let kill = 0; kill < 3; kill += 1) {
      const seen = both.map(({ received }) => received.length);
      await until(() => both.every(({ received }, index) => received.length > seen[index]! + 20));
      const { port } = new URL(url);
      const gone = once(door, 'exit');
      door.kill('SIGKILL');
      await gone;
      await openDoor(port);
    }
    isKilling = false;
    await writing;
    await until(() => both.every(({ received }) => ids(received).includes(made.at(-1)!)));
    for (const { received } of both) {
      const once = [...new Map(received.map((event) => [event.id, event])).values()];
      expect(ids(once)).toEqual(made);
      for (const stream of ['k0', 'k1', 'k2']) {
        const versions = once.filter(({ streamId }) => streamId === `schedule/${stream}`).map(({ version }) => version);
        expect(versions).toEqual(versions.toSorted((left, right) => left - right));
      }
    }
  });
});
