import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { type Ledger, startLedger } from './ledger.ts';
import { type Process, startProcess } from './process.ts';
import { type Stack, startStack } from './stack.ts';

const PER_KEY = 2;
const IN_ALL = 3;
const RATE = { limit: 4, periodMs: 1_000 };
/** A timestamp of Postgres is whole microseconds. */
const CLOCK_MS = 0.01;

let ledger: Ledger;
let stack: Stack;
let others: { projector: Process; worker: Process };

beforeAll(async () => {
  ledger = await startLedger();
  stack = await startStack({ env: { WEFT_HTTP_ALLOWED_HOSTS: ledger.host, WEFT_RECONCILE_INTERVAL_MS: '2000' } });
  others = {
    projector: await startProcess('workers/projector-main.ts', [], stack.env),
    worker: await stack.startWorker(),
  };
}, 180_000);

afterAll(async () => {
  await Promise.all([others?.projector.stop(), others?.worker.stop()]);
  await stack?.stop();
  await ledger?.close();
});

const call = (id: string, path: string) => ({
  id,
  type: 'http',
  config: { url: `${ledger.url(`/${path}`)}/{{input.key}}/{{input.n}}` },
  timeouts: { heartbeatMs: 3_000 },
  retry: { maximumAttempts: 20, initialIntervalMs: 100 },
});
const limited = (): WorkflowDefinition => ({
  name: 'limited',
  nodes: [call('begin', 'begin'), { id: 'work', type: 'delay', config: { durationMs: 200 } }, call('end', 'end')],
  edges: [
    { from: 'begin', to: 'work' },
    { from: 'work', to: 'end' },
  ],
  policies: { concurrency: [{ key: 'input.key', limit: PER_KEY }, { limit: IN_ALL }] },
});
const rated = (): WorkflowDefinition => ({
  name: 'rated',
  nodes: [{ id: 'one', type: 'transform', config: { value: 'input.n' } }],
  edges: [],
  policies: { rateLimit: RATE },
});

/** One kill after another, of whichever process chance chooses, until told to stop. */
async function killAtRandom(signal: AbortSignal): Promise<string[]> {
  const killed: string[] = [];
  while (!signal.aborted) {
    await sleep(300 + Math.random() * 700);
    const victim = Math.floor(Math.random() * 4);
    if (victim === 0) {
      await stack.processes.projector.kill();
      await sleep(Math.random() * 500);
      await stack.start('projector');
    } else if (victim === 1) {
      await others.projector.kill();
      others.projector = await startProcess('workers/projector-main.ts', [], stack.env);
    } else if (victim === 2) {
      await stack.processes.worker.kill();
      await stack.start('worker');
    } else {
      await others.worker.kill();
      others.worker = await stack.startWorker();
    }
    killed.push(['projector', 'other projector', 'worker', 'other worker'][victim] as string);
  }
  return killed;
}

/** The most runs that were between their first call and their last at any moment, by what the outside world saw. */
function mostAtOnce(belongs: (key: string) => boolean): number {
  const spans = new Map<string, { begin: number; end: number }>();
  for (const { path, at } of ledger.calls) {
    const [, what, key = '', n] = path.split('/');
    if (!belongs(key)) continue;
    const id = `${key}/${n}`;
    const span = spans.get(id) ?? { begin: Infinity, end: -Infinity };
    spans.set(
      id,
      what === 'begin' ? { ...span, begin: Math.min(span.begin, at) } : { ...span, end: Math.max(span.end, at) },
    );
  }
  const all = [...spans.values()].filter(({ end }) => end > 0);
  return Math.max(...all.map(({ begin }) => all.filter((span) => span.begin <= begin && begin < span.end).length));
}

describe('flow control while dispatchers, projectors and workers are killed at random', () => {
  it('exceeds no limit and no rate, ends every run, and leaves no lease', async () => {
    await stack.graphql.publish(limited());
    await stack.graphql.publish(rated());
    const starts = new Set<number>();
    const finished = new AbortController();
    const watching = (async () => {
      while (!finished.signal.aborted) {
        const { rows } = await stack.pool.query<{ at: number }>(
          'SELECT (extract(epoch FROM started_at) * 1000)::float8 AS at FROM rate_starts',
        );
        for (const { at } of rows) starts.add(at);
        await sleep(50);
      }
    })();
    const killing = killAtRandom(finished.signal);
    const runIds: string[] = [];
    for (let n = 0; n < 36; n += 1) {
      runIds.push(await stack.graphql.execute('limited', { key: ['a', 'b', 'c'][n % 3], n }));
      if (n % 2 === 0) runIds.push(await stack.graphql.execute('rated', { n }));
      await sleep(100);
    }
    const cancelled = runIds.at(-2) as string;
    await stack.graphql.send('mutation ($id: ID!) { cancelRun(runId: $id) { id } }', { id: cancelled });
    const views = [];
    for (const runId of runIds) {
      views.push(await stack.graphql.until(runId, ['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED'], 180_000));
    }
    finished.abort();
    expect((await killing).length).toBeGreaterThan(2);
    await watching;
    const wrong = views.filter(({ id, status }) => status !== 'COMPLETED' && id !== cancelled);
    expect(wrong).toEqual([]);
    for (const key of ['a', 'b', 'c']) expect(mostAtOnce((one) => one === key)).toBeLessThanOrEqual(PER_KEY);
    expect(mostAtOnce(() => true)).toBeLessThanOrEqual(IN_ALL);
    expectRate([...starts].sort((left, right) => left - right));
    await expectEmpty('run_leases');
    await expectEmpty('run_admissions');
  }, 300_000);
});

function expectRate(times: readonly number[]): void {
  expect(new Set(times).size).toBeGreaterThan(0);
  times.forEach((time, index) => {
    const earlier = times[index - RATE.limit];
    if (earlier !== undefined) expect(time - earlier).toBeGreaterThanOrEqual(RATE.periodMs - CLOCK_MS);
  });
}

async function expectEmpty(table: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { rows } = await stack.pool.query(`SELECT * FROM ${table}`);
    if (rows.length === 0) return;
    await sleep(50);
  }
  expect((await stack.pool.query(`SELECT * FROM ${table}`)).rows).toEqual([]);
}

describe('a batch whose API is killed', () => {
  it('goes on where it was and does nothing twice', async () => {
    await stack.graphql.publish({
      name: 'waits',
      nodes: [{ id: 'hold', type: 'delay', config: { durationMs: 600_000 } }],
      edges: [],
    });
    const runIds: string[] = [];
    for (let n = 0; n < 60; n += 1) runIds.push(await stack.graphql.execute('waits', {}));
    for (const runId of runIds) await stack.graphql.until(runId, ['RUNNING', 'WAITING']);
    const started = await stack.graphql.send<{ startBatch: { id: string; total: number } }>(
      'mutation { startBatch(operation: CANCEL, filter: { workflowId: "waits" }, reason: "done with") { id total } }',
    );
    const { id, total } = started.data.startBatch;
    expect(total).toBe(60);
    const { port } = stack.processes.api;
    await sleep(400);
    await stack.processes.api.kill();
    stack.processes.api = await startProcess('api/main.ts', [], { ...stack.env, PORT: String(port) });
    for (const runId of runIds) await stack.graphql.until(runId, ['CANCELLED']);
    const query = 'query ($id: ID!) { batch(id: $id) { status total done failed } }';
    let batch: object = {};
    for (let tries = 0; tries < 400; tries += 1) {
      const { data } = await stack.graphql.send<{ batch: { status: string } }>(query, { id });
      batch = data.batch;
      if (data.batch.status === 'COMPLETED') break;
      await sleep(50);
    }
    expect(batch).toEqual({ status: 'COMPLETED', total: 60, done: 60, failed: 0 });
    const { rows } = await stack.pool.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM events JOIN event_streams USING (stream_key)
       WHERE type = 'run.cancel_requested' AND run_id = ANY($1)`,
      [runIds],
    );
    expect(rows[0]?.count).toBe(60);
  }, 180_000);
});
