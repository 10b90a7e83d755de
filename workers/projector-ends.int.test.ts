import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { hintRuns } from '../adapters/postgres/run-hints.ts';
import { codeDefinition } from '../domain/runs/code-workflow.ts';
import { type FeedSite, openFeedSite } from '../tests/feed-site.ts';
import { testTemporal } from '../tests/servers.ts';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const workflowsPath = fileURLToPath(new URL('../tests/attempted-workflow.ts', import.meta.url));
let site: FeedSite;

beforeAll(async () => {
  site = await openFeedSite();
}, 120_000);
afterEach(() => site.stopProjectors());
afterAll(() => site?.close());

async function start(workflowType: string, options: object = {}) {
  const run = await site.insert(codeDefinition(workflowType));
  await site.client.workflow.start(workflowType, { workflowId: run.id, taskQueue: 'runs', args: [], ...options });
  return run;
}

/** As when Temporal's retention has passed. */
async function forget(workflowId: string, runId = ''): Promise<void> {
  const ask = () =>
    promisify(execFile)(testTemporal().binary, [
      ...['workflow', 'delete', '--workflow-id', workflowId, ...(runId === '' ? [] : ['--run-id', runId])],
      ...['--address', testTemporal().address, '--namespace', site.settings.TEMPORAL_NAMESPACE],
    ]);
  await ask();
  for (let tries = 1; tries < 600; tries += 1, await sleep(50)) {
    // The server gives up on a deletion that comes before it has done with the end of the run.
    if (tries % 60 === 0) await ask().catch(() => undefined);
    const still = await site.client.workflow
      .getHandle(workflowId, runId || undefined)
      .describe()
      .catch(() => null);
    if (still === null) return;
  }
  throw new Error(`${workflowId} is still there`);
}

describe('the end of a run', () => {
  it('is that of its last attempt when its own policy tries it again', async () => {
    await site.project();
    const run = await start('attempted', { retry: { initialInterval: 100, maximumAttempts: 3 } });
    await site.whileWorking({ workflowsPath }, async () => {
      await hintRuns(site.pool, [run.id]);
      const done = await site.until(run.id, 'COMPLETED');
      expect(done).toMatchObject({ output: 'done in attempt 2', error: null });
    });
    const events = await site.events(run.id);
    const links = Map.groupBy(events, ({ streamId }) => streamId);
    expect([...links.values()].map((link) => link.at(-1)?.type)).toEqual(['run.failed', 'run.completed']);
  }, 90_000);

  it('is TIMED_OUT when Temporal ends it at its timeout', async () => {
    await site.project();
    const run = await start('waiting', { workflowExecutionTimeout: 1_500 });
    await hintRuns(site.pool, [run.id]);
    expect(await site.until(run.id, 'TIMED_OUT')).toMatchObject({ error: { code: 'RUN_TIMED_OUT' } });
  }, 90_000);
});

describe('a run whose history is gone from Temporal', () => {
  it('ends as TERMINATED with the reason behind what was read, and others go on', async () => {
    await site.project();
    const lost = await start('waiting');
    await site.whileWorking({ workflowsPath }, async () => {
      await hintRuns(site.pool, [lost.id]);
      await site.until(lost.id, 'RUNNING');
      for (let tries = 0; (await site.events(lost.id)).length < 5 && tries < 200; tries += 1) await sleep(50);
    });
    const before = await site.events(lost.id);
    await site.stopProjectors();
    await forget(lost.id);
    await site.project();
    await site.until(lost.id, 'TERMINATED');
    const after = await site.events(lost.id);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length)).toMatchObject([
      { type: 'run.terminated', payload: { reason: expect.stringContaining('left Temporal') } },
    ]);
    const next = await start('waiting', { workflowExecutionTimeout: 1_000 });
    await hintRuns(site.pool, [next.id]);
    await site.until(next.id, 'TIMED_OUT');
  }, 90_000);

  it('and that is older than what Temporal keeps is not started again', async () => {
    const { id } = await site.insert(codeDefinition('waiting'), { createdAt: new Date(Date.now() - 3 * 86_400_000) });
    await site.project();
    await site.until(id, 'TERMINATED');
    expect((await site.events(id)).map(({ type }) => type)).toEqual(['run.terminated']);
  }, 60_000);

  it('in the middle goes on with the link after the gap', async () => {
    await site.project();
    const run = await start('waiting');
    const handle = site.client.workflow.getHandle(run.id);
    await hintRuns(site.pool, [run.id]);
    await site.until(run.id, 'RUNNING');
    await site.stopProjectors();
    const first = (await handle.describe()).runId;
    await handle.terminate('to make room');
    await site.client.workflow.start('waiting', {
      ...{ workflowId: run.id, taskQueue: 'runs', args: [], workflowExecutionTimeout: 4_000 },
    });
    await forget(run.id, first);
    await site.project();
    await site.until(run.id, 'TIMED_OUT');
    const events = await site.events(run.id);
    expect(events.map(({ type }) => type)).toEqual([
      ...['run.started', 'workflow_task.scheduled', 'history.lost'],
      ...['run.started', 'workflow_task.scheduled', 'run.timed_out'],
    ]);
    expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  }, 90_000);
});
