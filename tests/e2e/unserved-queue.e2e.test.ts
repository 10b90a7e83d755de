import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Process } from './process.ts';
import { type Stack, startStack } from './stack.ts';

type Warning = { code: string; message: string; hint: string; nodeId: string | null };
type Answer = { run: { status: string; warnings: Warning[] } };

let folder: string;
let stack: Stack;
let gpu: Process | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-pools-'));
  const pools = join(folder, 'pools.json');
  await writeFile(pools, JSON.stringify({ pools: [{ queue: 'gpu', activityTypes: ['content.analyze'] }] }));
  stack = await startStack({
    env: { WEFT_POOLS_FILE: pools, WEFT_DATA_DIR: folder },
    workerArgs: ['--queues', 'runs,content'],
  });
}, 120_000);

afterAll(async () => {
  await gpu?.stop();
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

const read = async (id: string) => {
  const query = 'query($id: ID!) { run(id: $id) { status warnings { code message hint nodeId } } }';
  return (await stack.graphql.send<Answer>(query, { id })).data.run;
};

async function until(id: string, wanted: (run: Answer['run']) => boolean): Promise<Answer['run']> {
  for (const deadline = Date.now() + 45_000; ; await sleep(200)) {
    const run = await read(id);
    if (wanted(run)) return run;
    if (Date.now() > deadline) throw new Error(`not seen; last: ${JSON.stringify(run)}`);
  }
}

const metric = async (service: 'api', name: string) => {
  const text = await (await fetch(`http://127.0.0.1:${stack.processes[service].port}/metrics`)).text();
  return Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (.+)$`, 'm').exec(text)?.[1]);
};

describe('a queue that no worker polls', () => {
  it('is said on the run that waits for it and in the metrics, until a worker starts', async () => {
    const name = await stack.graphql.publish({
      name: 'lonely',
      nodes: [{ id: 'analyze', type: 'content.analyze', taskQueue: 'gpu', config: { text: 'input.text' } }],
      edges: [],
      output: { language: 'nodes.analyze.output.language' },
    });
    const id = await stack.graphql.execute(name, { text: 'Light is a wave, and a particle too.' });
    const { warnings } = await until(id, (run) => run.warnings.length > 0);
    expect(warnings).toEqual([
      {
        code: 'NO_WORKER',
        message: 'No worker polls queue gpu: analyze waits for one',
        hint: 'Start one with: npm run weft -- worker start --queue gpu',
        nodeId: 'analyze',
      },
    ]);
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(500)) {
      if ((await metric('api', 'weft_task_queue_unserved{queue="gpu"}')) === 1) break;
    }
    expect(await metric('api', 'weft_task_queue_unserved{queue="gpu"}')).toBe(1);
    expect(await metric('api', 'weft_task_queue_backlog{queue="gpu",type="activity"}')).toBe(1);
    expect(await metric('api', 'weft_task_queue_unserved{queue="content"}')).toBe(0);

    gpu = await stack.startWorker(['--queues', 'gpu']);
    expect(await until(id, (run) => run.warnings.length === 0)).toMatchObject({ warnings: [] });
    expect(await stack.graphql.until(id, ['COMPLETED', 'FAILED'])).toMatchObject({ status: 'COMPLETED' });
    expect((await read(id)).warnings).toEqual([]);
  }, 120_000);

  it('is not said of runs whose queues are served, nor of those that wait for a person', async () => {
    const name = await stack.graphql.publish({
      name: 'patient',
      nodes: [{ id: 'ask', type: 'approval', config: { title: 'Go on?' } }],
      edges: [],
    });
    const id = await stack.graphql.execute(name, {});
    await stack.graphql.until(id, ['WAITING']);
    await sleep(4_000);
    expect(await read(id)).toEqual({ status: 'WAITING', warnings: [] });
  }, 60_000);

  it('is said of the run itself when nobody runs the workflows', async () => {
    await stack.processes.worker.stop();
    const id = await stack.graphql.execute('patient', {});
    const { warnings } = await until(id, (run) => run.warnings.length > 0);
    expect(warnings).toMatchObject([
      { code: 'WORKERS_SILENT', nodeId: null, message: expect.stringContaining('queue runs') },
    ]);
    await stack.start('worker');
    await until(id, (run) => run.status === 'WAITING' && run.warnings.length === 0);
  }, 120_000);
});
