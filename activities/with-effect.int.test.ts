import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { createHttpClient } from '../adapters/http/http-client.ts';
import { createEffectStore, listEffects } from '../adapters/postgres/effect-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { DEFAULT_TENANT, runId } from '../domain/identifiers.ts';
import type { HttpRequestInput } from '../domain/tools/activities.ts';
import type { EffectLedger } from '../domain/tools/effect-ledger.ts';
import { activityEnvironment } from '../tests/activity-environment.ts';
import { noRecorder } from '../tests/no-recorder.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../tests/servers.ts';
import { createToolActivities } from './tools/tool-activities.ts';

let database: TestDatabase;
let pool: pg.Pool;
let effects: EffectLedger;
const closers: (() => void)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 5);
  effects = createEffectStore(pool);
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

async function serve(listener: RequestListener): Promise<{ url: string; keys: string[] }> {
  const keys: string[] = [];
  const server = createServer((request, response) => {
    keys.push(String(request.headers['idempotency-key']));
    listener(request, response);
  });
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/pay?token=secret`, keys };
}

const client = createHttpClient({ allowedHosts: ['127.0.0.1'], maxResponseBytes: 1_000_000 });

/** An attempt of one execution; `crash` loses the answer between the ledger's two writes, as a SIGKILL does. */
function attempt(workflowId: string, input: HttpRequestInput, options: { scheduledAt?: number; crash?: true } = {}) {
  const ledger: EffectLedger = options.crash ? { ...effects, finish: () => new Promise(() => undefined) } : effects;
  const { http } = createToolActivities({ client, effects: ledger, events: noRecorder });
  const environment = activityEnvironment({
    activityId: 'pay#2.1',
    activityType: 'http',
    scheduledTimestampMs: options.scheduledAt ?? 1_000,
    workflowExecution: { workflowId, runId: 'r' },
  });
  if (options.crash) closers.push(() => environment.cancel());
  return environment.run(http, input);
}

const attemptsOf = async (run: string) =>
  listEffects(pool, { tenantId: DEFAULT_TENANT, runId: runId(run), first: 100 });
const paid: RequestListener = (_, response) =>
  response.setHeader('content-type', 'application/json').end('{"paid":true}');

describe('a call to the outside that may change something', () => {
  it('is written down without secrets, and its answer is given again instead of a second call', async () => {
    const { url, keys } = await serve(paid);
    const run = uniqueName('run');
    const input: HttpRequestInput = {
      url,
      method: 'POST',
      headers: { authorization: 'Bearer secret' },
      body: 'secret',
    };
    const first = await attempt(run, input);
    expect(await attempt(run, input)).toEqual(first);
    expect(keys).toHaveLength(1);
    const [effect, ...more] = await attemptsOf(run);
    expect(more).toEqual([]);
    expect(effect).toMatchObject({
      key: keys[0],
      ...{ nodeId: 'pay', iteration: '2.1', attempt: 1, kind: 'http', state: 'RECEIPT', error: null },
      request: { method: 'POST', url: url.replace(/\?.*/, ''), headers: ['authorization'], bodyBytes: 6 },
      receipt: { status: 200, body: { paid: true } },
    });
    expect(effect?.finishedAt?.getTime()).toBeGreaterThanOrEqual(effect!.startedAt.getTime());
    expect(JSON.stringify([effect?.request, effect?.error])).not.toContain('secret');
  });

  it('keeps an answer of any size', async () => {
    const text = 'x'.repeat(100_000);
    const { url, keys } = await serve((_, response) => response.end(text));
    const run = uniqueName('run');
    await attempt(run, { url, method: 'POST' });
    expect(await attempt(run, { url, method: 'POST' })).toMatchObject({ body: text });
    expect(keys).toHaveLength(1);
  });

  it('is repeated with the same key when a crash took the answer', async () => {
    const { url, keys } = await serve(paid);
    const run = uniqueName('run');
    attempt(run, { url, method: 'POST' }, { crash: true }).catch(() => undefined);
    while ((await attemptsOf(run)).length === 0 || keys.length === 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
    await attempt(run, { url, method: 'POST' });
    expect(keys).toEqual([keys[0], keys[0]]);
    expect((await attemptsOf(run)).map(({ attempt: number, state }) => [number, state])).toEqual([
      [1, 'UNKNOWN'],
      [2, 'RECEIPT'],
    ]);
  });

  it('is not repeated where its node says so, until somebody asks for the node anew', async () => {
    const { url, keys } = await serve((request, response) => {
      if (keys.length === 1) request.socket.destroy();
      else response.end('done');
    });
    const run = uniqueName('run');
    const input: HttpRequestInput = { url, method: 'POST', onUnknown: 'fail' };
    for (const _ of [1, 2]) {
      await expect(attempt(run, input)).rejects.toMatchObject({ type: 'EFFECT_UNKNOWN', nonRetryable: true });
    }
    expect(keys).toHaveLength(1);
    expect(await attempt(run, input, { scheduledAt: 2_000 })).toMatchObject({ body: 'done' });
    expect((await attemptsOf(run)).map(({ state }) => state)).toEqual(['UNKNOWN', 'RECEIPT']);
  });

  it('that was refused, or never sent, is known to have failed and is tried again', async () => {
    const { url, keys } = await serve((_, response) => response.writeHead(keys.length === 1 ? 503 : 200).end());
    const run = uniqueName('run');
    const input: HttpRequestInput = { url, method: 'PATCH', onUnknown: 'fail' };
    await expect(attempt(run, input)).rejects.toMatchObject({ type: 'HTTP_UNAVAILABLE', nonRetryable: false });
    await attempt(run, input);
    expect((await attemptsOf(run)).map(({ state }) => state)).toEqual(['FAILED', 'RECEIPT']);

    const nobody = uniqueName('run');
    await expect(
      attempt(nobody, { url: 'http://127.0.0.1:9/', method: 'POST', onUnknown: 'fail' }),
    ).rejects.toMatchObject({
      type: 'HTTP_UNAVAILABLE',
    });
    expect(await attemptsOf(nobody)).toMatchObject([{ state: 'FAILED', error: { code: 'HTTP_UNAVAILABLE' } }]);
  });

  it('has another key once what is asked has changed', async () => {
    const { url, keys } = await serve(paid);
    const run = uniqueName('run');
    await attempt(run, { url, method: 'POST', body: 1 });
    await attempt(run, { url, method: 'POST', body: 2 });
    expect(new Set(keys).size).toBe(2);
  });

  it('leaves no trace when it only reads', async () => {
    const { url, keys } = await serve(paid);
    const run = uniqueName('run');
    await attempt(run, { url });
    await attempt(run, { url });
    expect(keys).toEqual([keys[0], keys[0]]);
    expect(await attemptsOf(run)).toEqual([]);
  });
});
