import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rebuildProjections } from '../../adapters/postgres/rebuild-projections.ts';
import type { RunPolicies } from '../../domain/runs/definition.ts';
import { openDoors, type Doors } from '../../tests/doors.ts';
import { startRunServices } from '../../tests/run-services.ts';

const PUBLISH = 'mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { version } }';
const FIELDS = 'id status input labels priority queue { reason position key since dueAt } startedAt closedAt';
const EXECUTE = `mutation ($workflowId: ID!, $input: JSON, $key: String, $priority: Int, $labels: JSON, $startAt: DateTime,
  $delayMs: Int, $waitMs: Int) {
  executeWorkflow(workflowId: $workflowId, input: $input, idempotencyKey: $key, priority: $priority, labels: $labels,
    startAt: $startAt, delayMs: $delayMs, waitMs: $waitMs) { ${FIELDS} }
}`;

let doors: Doors;
let services: { stop: () => Promise<void> };

beforeAll(async () => {
  doors = await openDoors();
  services = await startRunServices(doors);
}, 120_000);
afterAll(async () => {
  await services?.stop();
  await doors?.close();
});

/** Waits for the given time in its input before it ends. */
async function publish(name: string, policies: RunPolicies): Promise<void> {
  const definition = {
    name,
    nodes: [{ id: 'hold', type: 'delay', config: { durationMs: 'input.ms' } }],
    edges: [],
    output: 'input',
    policies,
  };
  const { errors } = await doors.ask(PUBLISH, { definition });
  expect(errors).toBeUndefined();
}
const send = (workflowId: string, input: object, options: object = {}) =>
  doors.ask(EXECUTE, { workflowId, input: { ms: 600_000, ...input }, ...options });
async function execute(workflowId: string, input: object = {}, options: object = {}): Promise<any> {
  const { data, errors } = await send(workflowId, input, options);
  expect(errors).toBeUndefined();
  return data.executeWorkflow;
}
const read = async (id: string): Promise<any> =>
  (await doors.ask(`query ($id: ID!) { run(id: $id) { ${FIELDS} } }`, { id })).data.run;
const close = (id: string, how = 'terminateRun') =>
  doors.ask(`mutation ($id: ID!) { ${how}(runId: $id, reason: "done") { id status } }`, { id });
async function until(id: string, seen: (run: any) => boolean): Promise<any> {
  for (let tries = 0; ; tries += 1) {
    const run = await read(id);
    if (seen(run)) return run;
    if (tries > 400) throw new Error(JSON.stringify(run));
    await sleep(50);
  }
}
const isStarted = (run: any) => run.status !== 'PENDING';
const reasonIs = (reason: string) => (run: any) => run.queue?.reason === reason;

describe('a concurrency key', () => {
  it('lets runs beyond the limit wait, says why, and starts them in order of priority when there is room', async () => {
    await publish('lane', { concurrency: [{ key: 'input.customer', limit: 1 }] });
    const first = await execute('lane', { customer: 'ada' });
    await until(first.id, isStarted);
    const late = await execute('lane', { customer: 'ada' }, { priority: 4 });
    const urgent = await execute('lane', { customer: 'ada' }, { priority: 1 });
    const other = await execute('lane', { customer: 'bob' });
    await until(other.id, isStarted);
    const waiting = await until(late.id, reasonIs('CONCURRENCY'));
    expect(waiting.queue).toMatchObject({ key: 'ada', since: expect.any(String), dueAt: null });
    await until(urgent.id, (run) => run.queue?.position === 1);
    expect((await read(late.id)).queue.position).toBe(2);
    await close(first.id);
    expect((await until(urgent.id, isStarted)).queue).toBeNull();
    expect((await read(late.id)).status).toBe('PENDING');
    await close(urgent.id);
    await until(late.id, isStarted);
    for (const { id } of [late, other]) await close(id);
  });

  it('rejects at the limit when it is asked to', async () => {
    await publish('strict', { concurrency: [{ limit: 1, onLimit: 'reject' }] });
    const first = await execute('strict');
    const { errors } = await send('strict', {});
    expect(errors?.[0].extensions).toMatchObject({ code: 'RUN_REJECTED' });
    await close(first.id);
    await close((await execute('strict')).id);
  });

  it('lets a new run take the place of the oldest', async () => {
    await publish('newest', { concurrency: [{ limit: 1, onLimit: 'cancel-oldest' }] });
    const first = await execute('newest');
    await until(first.id, isStarted);
    const second = await execute('newest');
    await until(second.id, isStarted);
    expect((await read(first.id)).status).toBe('CANCELLED');
    await close(second.id);
  });

  it('is counted over all workflows of the tenant when its scope says so', async () => {
    for (const name of ['east', 'west'])
      await publish(name, { concurrency: [{ key: '"gpu"', limit: 1, scope: 'tenant' }] });
    const east = await execute('east');
    await until(east.id, isStarted);
    const west = await execute('west');
    await until(west.id, reasonIs('CONCURRENCY'));
    await close(east.id);
    await until(west.id, isStarted);
    await close(west.id);
  });

  it('that the input does not give is refused', async () => {
    const { errors } = await send('lane', {});
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining('policies/concurrency/0/key'),
      extensions: { code: 'INPUT_INVALID' },
    });
  });
});

describe('a singleton', () => {
  it('answers with the run that is open, also when its idempotency key comes again', async () => {
    await publish('only', { singleton: { key: 'input.customer' } });
    const first = await execute('only', { customer: 'ada' }, { key: 'one' });
    const again = await execute('only', { customer: 'ada' }, { key: 'two' });
    expect(again.id).toBe(first.id);
    await close(first.id);
    expect((await execute('only', { customer: 'ada' }, { key: 'two' })).id).toBe(first.id);
    const { errors } = await send('only', { customer: 'bob' }, { key: 'two' });
    expect(errors?.[0].extensions.code).toBe('IDEMPOTENCY_CONFLICT');
    const next = await execute('only', { customer: 'ada' });
    expect(next.id).not.toBe(first.id);
    await close(next.id);
  });

  it('cancels the open run when it is asked to, and starts once that is closed', async () => {
    await publish('latest', { singleton: { onConflict: 'cancel' } });
    const runs = [await execute('latest'), await execute('latest'), await execute('latest')];
    await until(runs[2].id, isStarted);
    expect((await read(runs[0].id)).status).toBe('CANCELLED');
    expect((await read(runs[1].id)).status).toBe('CANCELLED');
    await close(runs[2].id);
  });
});

describe('a debounce', () => {
  it('makes one run of requests that come close together, with the last input', async () => {
    await publish('calm', { debounce: { key: 'input.customer', periodMs: 1_500 } });
    const first = await execute('calm', { customer: 'ada', n: 1, ms: 1 });
    expect(first.queue).toMatchObject({ reason: 'DEBOUNCE', key: 'ada', dueAt: expect.any(String) });
    const second = await execute('calm', { customer: 'ada', n: 2, ms: 1 });
    const third = await execute('calm', { customer: 'ada', n: 3, ms: 1 });
    expect([second.id, third.id]).toEqual([first.id, first.id]);
    const run = await until(first.id, ({ status }) => status === 'COMPLETED');
    expect(run.input.n).toBe(3);
    const next = await execute('calm', { customer: 'ada', n: 4, ms: 1 });
    expect(next.id).not.toBe(first.id);
  });
});

describe('a rate', () => {
  it('lets no more runs begin within its period', async () => {
    await publish('rated', { rateLimit: { limit: 2, periodMs: 1_000 } });
    const runs = await Promise.all([1, 2, 3, 4, 5].map(() => execute('rated', { ms: 1 })));
    const waiting = await Promise.any(runs.map(({ id }) => until(id, reasonIs('RATE_LIMIT'))));
    expect(waiting.queue).toMatchObject({ key: '', position: expect.any(Number), dueAt: expect.any(String) });
    for (const { id } of runs) await until(id, ({ status }) => status === 'COMPLETED');
    const { rows } = await doors.pool.query<{ at: number }>(
      `SELECT (extract(epoch FROM started_at) * 1000)::float8 AS at FROM runs WHERE workflow_id = 'rated' ORDER BY started_at`,
    );
    expect(rows).toHaveLength(5);
    expect((rows[4]?.at ?? 0) - (rows[0]?.at ?? 0)).toBeGreaterThan(1_500);
  });
});

describe('starting', () => {
  it('later waits for its moment', async () => {
    await publish('plain', {});
    const run = await execute('plain', { ms: 1 }, { delayMs: 1_500 });
    expect(run.queue).toMatchObject({ reason: 'DELAYED', position: null });
    const done = await until(run.id, ({ status }) => status === 'COMPLETED');
    expect(Date.parse(done.startedAt)).toBeGreaterThanOrEqual(Date.parse(run.queue.dueAt));
    const past = await execute('plain', { ms: 1 }, { startAt: '2020-01-01T00:00:00Z' });
    await until(past.id, ({ status }) => status === 'COMPLETED');
  });

  it('and waiting answers with the closed run, or with the open one when the time is up', async () => {
    const done = await execute('plain', { ms: 1 }, { waitMs: 20_000 });
    expect(done).toMatchObject({ status: 'COMPLETED', closedAt: expect.any(String) });
    const open = await execute('plain', {}, { waitMs: 300 });
    expect(open.closedAt).toBeNull();
    await close(open.id);
  });

  it('with labels makes runs that can be found by them, here and in Temporal', async () => {
    const labels = { team: 'search', 'cost.centre': '42 ü' };
    const run = await execute('plain', {}, { labels, priority: 2 });
    await execute('plain', { ms: 1 }, { labels: { team: 'other' } });
    expect(run).toMatchObject({ labels, priority: 2 });
    const list = async (wanted: object) =>
      (
        await doors.ask('query ($labels: JSON) { runs(labels: $labels) { totalCount edges { node { id } } } }', {
          labels: wanted,
        })
      ).data.runs;
    expect(await list({ team: 'search' })).toMatchObject({ totalCount: 1, edges: [{ node: { id: run.id } }] });
    expect((await list({ ...labels })).totalCount).toBe(1);
    expect((await list({ ...labels, team: 'other' })).totalCount).toBe(0);
    const found: string[] = [];
    for (let tries = 0; found.length === 0 && tries < 100; tries += 1) {
      for await (const one of doors.temporal.workflow.list({ query: `WeftLabels = "team=search"` }))
        found.push(one.workflowId);
      await sleep(50);
    }
    expect(found).toEqual([run.id]);
    const described = await doors.temporal.workflow.getHandle(run.id).describe();
    expect(described.priority).toMatchObject({ priorityKey: 2, fairnessKey: 'default' });
    await close(run.id);
  });

  it('with bad options is refused', async () => {
    for (const [options, path] of [
      [{ priority: 6 }, '/priority'],
      [{ delayMs: -1 }, '/delayMs'],
      [{ labels: { 'no blanks': 'x' } }, '/labels/no blanks'],
      [{ labels: { team: 7 } }, '/labels/team'],
      [{ startAt: '2999-01-01T00:00:00Z' }, '/startAt'],
    ] as const) {
      const { errors } = await send('plain', {}, options);
      expect(errors?.[0].extensions).toMatchObject({ code: 'INPUT_INVALID', paths: [{ path }] });
    }
  });
});

describe('a run that waits', () => {
  it('can be cancelled and terminated: Temporal never sees it, and a rebuild of the read models keeps it so', async () => {
    const runs = await Promise.all([1, 2].map(() => execute('plain', {}, { delayMs: 600_000 })));
    expect((await close(runs[0].id, 'cancelRun')).data.cancelRun.status).toBe('CANCELLED');
    expect((await close(runs[1].id)).data.terminateRun.status).toBe('TERMINATED');
    await expect(doors.temporal.workflow.getHandle(runs[0].id).describe()).rejects.toThrow();
    const again = await close(runs[0].id, 'cancelRun');
    expect(again.errors?.[0].extensions.code).toBe('RUN_CLOSED');
    await rebuildProjections(doors.pool);
    expect((await read(runs[0].id)).status).toBe('CANCELLED');
    expect((await read(runs[1].id)).status).toBe('TERMINATED');
  });

  it('leaves nothing behind when everything is closed', async () => {
    for (const table of ['run_leases', 'run_admissions', 'lease_releases']) {
      for (let tries = 0; ; tries += 1) {
        const { rows } = await doors.pool.query(`SELECT * FROM ${table}`);
        if (rows.length === 0) break;
        if (tries > 100) throw new Error(`${table}: ${JSON.stringify(rows)}`);
        await sleep(50);
      }
    }
  });
});
