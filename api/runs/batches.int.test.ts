import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { claimBatch, takeBatchRuns } from '../../adapters/postgres/batch-store.ts';
import { openDoors, type Doors } from '../../tests/doors.ts';
import { startRunServices } from '../../tests/run-services.ts';

const BATCH = 'id operation status reason dryRun createdBy total done failed closedAt errors { runId code message }';
const START = `mutation ($operation: BatchOperation!, $filter: BatchFilter!, $reason: String, $dryRun: Boolean) {
  startBatch(operation: $operation, filter: $filter, reason: $reason, dryRun: $dryRun) { ${BATCH} }
}`;

let doors: Doors;
let services: { stop: () => Promise<void> };

beforeAll(async () => {
  doors = await openDoors({ WEFT_BATCH_RATE: '40' });
  services = await startRunServices(doors);
  const definition = {
    name: 'waits',
    nodes: [{ id: 'hold', type: 'delay', config: { durationMs: 600_000 } }],
    edges: [],
  };
  await doors.ask('mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { id } }', { definition });
}, 120_000);
afterAll(async () => {
  await services?.stop();
  await doors?.close();
});

async function startRuns(count: number, labels: object): Promise<string[]> {
  const answers = await Promise.all(
    Array.from({ length: count }, () =>
      doors.ask('mutation ($labels: JSON) { executeWorkflow(workflowId: "waits", labels: $labels) { id } }', {
        labels,
      }),
    ),
  );
  return answers.map(({ data }) => data.executeWorkflow.id);
}
async function start(variables: object): Promise<any> {
  const { data, errors } = await doors.ask(START, { ...variables });
  expect(errors).toBeUndefined();
  return data.startBatch;
}
const read = async (id: string): Promise<any> =>
  (await doors.ask(`query ($id: ID!) { batch(id: $id) { ${BATCH} } }`, { id })).data.batch;
async function ended(id: string): Promise<any> {
  for (let tries = 0; ; tries += 1) {
    const batch = await read(id);
    if (batch.status !== 'RUNNING') return batch;
    if (tries > 600) throw new Error(JSON.stringify(batch));
    await sleep(50);
  }
}
const statuses = async (labels: object): Promise<string[]> => {
  const { data } = await doors.ask(
    'query ($labels: JSON) { runs(first: 100, labels: $labels) { edges { node { status } } } }',
    { labels },
  );
  return data.runs.edges.map((edge: any) => edge.node.status);
};
async function untilAll(labels: object, status: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const found = await statuses(labels);
    if (found.every((one) => one === status)) return;
    if (tries > 400) throw new Error(found.join());
    await sleep(50);
  }
}

describe('a batch', () => {
  it('cancels the runs that it chose and no others, and tells how far it is', async () => {
    await startRuns(20, { set: 'one' });
    await startRuns(3, { set: 'other' });
    const dry = await start({ operation: 'CANCEL', filter: { labels: { set: 'one' } }, dryRun: true });
    expect(dry).toMatchObject({ status: 'COMPLETED', dryRun: true, total: 20, done: 0, failed: 0 });
    const batch = await start({ operation: 'CANCEL', filter: { labels: { set: 'one' } }, reason: 'wrong input' });
    expect(batch).toMatchObject({
      operation: 'CANCEL',
      status: 'RUNNING',
      total: 20,
      reason: 'wrong input',
      createdBy: null,
    });
    expect(await ended(batch.id)).toMatchObject({
      status: 'COMPLETED',
      done: 20,
      failed: 0,
      errors: [],
      closedAt: expect.any(String),
    });
    await untilAll({ set: 'one' }, 'CANCELLED');
    expect(await statuses({ set: 'other' })).not.toContain('CANCELLED');
  });

  it('says which runs it could not do it to, and why', async () => {
    const [closed] = await startRuns(2, { set: 'closed' });
    await doors.ask('mutation ($id: ID!) { terminateRun(runId: $id) { id } }', { id: closed });
    await untilOne(String(closed), 'TERMINATED');
    const batch = await start({
      operation: 'CANCEL',
      filter: { labels: { set: 'closed' }, status: ['PENDING', 'RUNNING', 'WAITING', 'TERMINATED'] },
    });
    const done = await ended(batch.id);
    expect(done).toMatchObject({ total: 2, done: 1, failed: 1, errors: [{ runId: closed, code: 'RUN_CLOSED' }] });
  });

  it('pauses, resumes and tries failed nodes again', async () => {
    await startRuns(5, { set: 'held' });
    await untilAll({ set: 'held' }, 'WAITING');
    const filter = { labels: { set: 'held' } };
    const paused = await ended((await start({ operation: 'PAUSE', filter, reason: 'maintenance' })).id);
    expect(paused).toMatchObject({ total: 5, done: 5, failed: 0 });
    await untilAll({ set: 'held' }, 'PAUSED');
    expect(await ended((await start({ operation: 'RETRY', filter })).id)).toMatchObject({
      total: 5,
      failed: 5,
      errors: Array.from({ length: 5 }, () => ({ code: 'NOT_RETRYABLE' })),
    });
    expect(await ended((await start({ operation: 'RESUME', filter })).id)).toMatchObject({ total: 5, done: 5 });
    await untilAll({ set: 'held' }, 'WAITING');

    const definition = {
      name: 'denied',
      nodes: [{ id: 'call', type: 'http', config: { url: 'http://127.0.0.1:1/' } }],
      edges: [],
      policies: { onNodeFailure: 'pause' },
    };
    await doors.ask('mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { id } }', {
      definition,
    });
    const { data } = await doors.ask('mutation { executeWorkflow(workflowId: "denied") { id } }');
    await untilOne(data.executeWorkflow.id, 'PAUSED');
    const retried = await ended((await start({ operation: 'RETRY', filter: { workflowId: 'denied' } })).id);
    expect(retried).toMatchObject({ total: 1, done: 1, failed: 0 });
    const { rows } = await doors.pool.query(
      `SELECT FROM events JOIN event_streams USING (stream_key) WHERE run_id = $1 AND type = 'node.retry_requested'`,
      [data.executeWorkflow.id],
    );
    expect(rows).toHaveLength(1);
  });

  it('is taken over from a process that died, which had done it to some and not said so', async () => {
    const ids = (await startRuns(4, { set: 'taken' })).sort();
    const { rows } = await doors.pool.query(
      `INSERT INTO batches (id, tenant_id, operation, status, filter, dry_run, total, claimed_until)
       VALUES ('batch-dead', 'default', 'TERMINATE', 'RUNNING', '{"status": [], "labels": {}}', false, 4, now() + interval '2 s')
       RETURNING id`,
    );
    const batchId = rows[0].id as string;
    await doors.pool.query(
      `INSERT INTO batch_runs (tenant_id, batch_id, run_id) SELECT 'default', $1, unnest($2::text[])`,
      [batchId, ids],
    );
    const taken = await takeBatchRuns(doors.pool, batchId, { most: 2, claimMs: 1_000 });
    expect(taken).toEqual(ids.slice(0, 2).map((runId) => ({ runId, repeated: false })));
    await doors.ask('mutation ($id: ID!) { terminateRun(runId: $id) { id } }', { id: ids[0] });
    await untilOne(String(ids[0]), 'TERMINATED');
    expect(await claimBatch(doors.pool, 1_000)).toBeUndefined();
    expect(await ended(batchId)).toMatchObject({ status: 'COMPLETED', total: 4, done: 4, failed: 0 });
    await untilAll({ set: 'taken' }, 'TERMINATED');
  });

  it('can be cancelled: what is done stays done, the rest is left alone', async () => {
    await startRuns(60, { set: 'slow' });
    const batch = await start({ operation: 'TERMINATE', filter: { labels: { set: 'slow' } } });
    const cancel = () => doors.ask(`mutation ($id: ID!) { cancelBatch(id: $id) { ${BATCH} } }`, { id: batch.id });
    const { data } = await cancel();
    expect(data.cancelBatch).toMatchObject({ status: 'CANCELLED', total: 60 });
    expect((await cancel()).errors?.[0].extensions.code).toBe('BATCH_CLOSED');
    // Runs that were taken before are finished, and counted then.
    const seen = async () => {
      const ended = (await statuses({ set: 'slow' })).filter((status) => status === 'TERMINATED').length;
      return { ended, done: (await read(batch.id)).done };
    };
    let last = await seen();
    for (let steady = 0, tries = 0; steady < 4 && tries < 60; tries += 1) {
      await sleep(500);
      const now = await seen();
      steady = now.ended === now.done && now.done === last.done ? steady + 1 : 0;
      last = now;
    }
    expect(last.done).toBeLessThan(60);
    expect(last.ended).toBe(last.done);
    await start({ operation: 'TERMINATE', filter: { labels: { set: 'slow' } } });
  });

  it('refuses filters and reasons that cannot be, and lists what there was, newest first', async () => {
    for (const variables of [
      { operation: 'CANCEL', filter: { labels: { set: 1 } } },
      { operation: 'CANCEL', filter: { workflowId: 'a\0b' } },
      { operation: 'CANCEL', filter: {}, reason: 'x'.repeat(2_000) },
    ]) {
      const { errors } = await doors.ask(START, variables);
      expect(errors?.[0].extensions.code).toBe('INPUT_INVALID');
    }
    const { data } = await doors.ask(
      '{ batches(first: 2) { totalCount pageInfo { hasNextPage endCursor } edges { node { id createdAt } } } }',
    );
    expect(data.batches.pageInfo.hasNextPage).toBe(true);
    const next = await doors.ask(
      'query ($after: String) { batches(first: 100, after: $after) { edges { node { id createdAt } } } }',
      {
        after: data.batches.pageInfo.endCursor,
      },
    );
    const all = [...data.batches.edges, ...next.data.batches.edges].map((edge: any) => edge.node);
    expect(all).toHaveLength(data.batches.totalCount);
    const times = all.map(({ createdAt }) => Date.parse(createdAt));
    expect(times).toEqual(times.toSorted((left, right) => right - left));
  });
});

async function untilOne(id: string, status: string): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const { data } = await doors.ask('query ($id: ID!) { run(id: $id) { status } }', { id });
    if (data.run.status === status) return;
    await sleep(50);
  }
  throw new Error(`${id} is not ${status}`);
}
