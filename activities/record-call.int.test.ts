import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { createHttpClient } from '../adapters/http/http-client.ts';
import { createEventRecorder } from '../adapters/postgres/event-recorder.ts';
import { readTenantEvents } from '../adapters/postgres/event-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { DEFAULT_TENANT } from '../domain/identifiers.ts';
import type { EventRecorder } from '../domain/events/event-recorder.ts';
import { activityEnvironment } from '../tests/activity-environment.ts';
import { eventFaults } from '../tests/event-faults.ts';
import { noLedger } from '../tests/no-ledger.ts';
import { insertTestRun } from '../tests/insert-test-run.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../tests/servers.ts';
import { createToolActivities } from './tools/tool-activities.ts';

let database: TestDatabase;
let pool: pg.Pool;
let events: EventRecorder;
const closers: (() => void)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 5);
  events = createEventRecorder(pool);
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/pay?token=secret`;
}

const client = createHttpClient({ allowedHosts: ['127.0.0.1'], maxResponseBytes: 1_000_000 });

async function attempt(workflowId: string, number: number, url: string, recorder = events) {
  await insertTestRun(pool, workflowId);
  const { http } = createToolActivities({ client, effects: noLedger, events: recorder });
  const workflowExecution = { workflowId, runId: 'r' };
  return activityEnvironment({ activityId: 'pay#2.1', attempt: number, workflowExecution }).run(http, { url });
}

const eventsOf = async (runId: string) =>
  (await readTenantEvents(pool, { tenantId: DEFAULT_TENANT, after: 0n, first: 1_000 })).filter(
    ({ correlationId }) => correlationId === runId,
  );

describe('recording a call', () => {
  it('keeps what was called and what came of it, tied to the run and to the node, without secrets', async () => {
    const run = uniqueName('run');
    await attempt(run, 3, await serve((_, response) => response.end('ok')));
    const [event, ...others] = await eventsOf(run);
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      streamId: `tool/${run}/pay#2.1`,
      type: 'tool.called',
      correlationId: run,
      causationId: `run/${run}/r#pay#2.1`,
      payload: { runId: run, nodeId: 'pay', iteration: '2.1', attempt: 3, kind: 'http', status: 200, outcome: 'OK' },
    });
    expect(JSON.stringify(event!.payload)).not.toContain('secret');
  });

  it('keeps each attempt once, also when the same attempt is made again, and why one failed', async () => {
    const run = uniqueName('run');
    let calls = 0;
    const url = await serve((_, response) => response.writeHead((calls += 1) < 3 ? 503 : 200).end());
    for (const number of [1, 1]) await expect(attempt(run, number, url)).rejects.toThrow();
    await attempt(run, 2, url);
    const made = await eventsOf(run);
    expect(calls).toBe(3);
    expect(made.map(({ payload }) => payload)).toMatchObject([
      { attempt: 1, outcome: 'FAILED', error: { code: 'HTTP_UNAVAILABLE' } },
      { attempt: 2, outcome: 'OK', error: null },
    ]);
  });

  it('goes on with the answer when the event cannot be kept', async () => {
    const failing: EventRecorder = { recordOfRun: () => Promise.reject(new Error('the database is away')) };
    const url = await serve((_, response) => response.end('ok'));
    expect(await attempt(uniqueName('run'), 1, url, failing)).toMatchObject({ status: 200 });
  });

  it('keeps those of many calls at once', async () => {
    const run = uniqueName('run');
    const url = await serve((_, response) => response.end('ok'));
    await Promise.all(Array.from({ length: 60 }, (_, index) => attempt(run, (index % 30) + 1, url)));
    expect(new Set((await eventsOf(run)).map(({ eventId }) => eventId)).size).toBe(30);
    expect(await eventsOf(run)).toHaveLength(30);
    expect(await eventFaults(pool)).toEqual([]);
  });
});
