import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Ledger, startLedger } from './ledger.ts';
import { type Stack, startStack } from './stack.ts';
import { startCli } from './weft-cli.ts';

type Event = { event: string; workers: number; pid?: number; reason?: string };

let folder: string;
let ledger: Ledger;
let stack: Stack;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-scale-'));
  const pools = join(folder, 'pools.json');
  await writeFile(pools, JSON.stringify({ pools: [{ queue: 'slow', activityTypes: ['http'], concurrency: 1 }] }));
  ledger = await startLedger();
  stack = await startStack({
    env: { WEFT_POOLS_FILE: pools, WEFT_DATA_DIR: folder, WEFT_HTTP_ALLOWED_HOSTS: ledger.host },
    workerArgs: ['--queues', 'runs'],
  });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await ledger?.close();
  await rm(folder, { recursive: true, force: true });
});

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('weft worker autoscale', () => {
  it('starts processes while work piles up and drains them afterwards; every task is done once', async () => {
    const name = await stack.graphql.publish({
      name: 'slow-call',
      nodes: [{ id: 'call', type: 'http', taskQueue: 'slow', config: { url: '{{input.url}}', method: 'POST' } }],
      edges: [],
    });
    const args = ['--min', '1', '--max', '3', '--backlog', '4', '--settle', '1000', '--calm', '3000', '--every', '500'];
    const scaler = startCli(['worker', 'autoscale', '--queue', 'slow', '--json', ...args], stack.env);
    const events = () =>
      scaler
        .stdout()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Event);
    const until = async <Found>(what: string, look: () => Found | Promise<Found>): Promise<Found> => {
      for (const deadline = Date.now() + 60_000; ; await sleep(200)) {
        const found = await look();
        if (found) return found;
        if (Date.now() > deadline) throw new Error(`no ${what}: ${scaler.stdout()} ${scaler.stderr()}`);
      }
    };
    try {
      await until('first worker', () => events().some(({ event }) => event === 'started'));
      const paths = Array.from({ length: 24 }, (_, index) => `/wait/1200/${index}`);
      const ids = await Promise.all(paths.map((path) => stack.graphql.execute(name, { url: ledger.url(path) })));
      await until('second worker', () => events().some(({ event, workers }) => event === 'started' && workers >= 2));
      const line = await until('second poller', async () => {
        const listed = startCli(['worker', 'list', '--json', '--queue', 'slow'], stack.env);
        expect(await listed.ended).toBe(0);
        const { queues } = JSON.parse(listed.stdout()) as { queues: { workers: number }[] };
        return queues[0] !== undefined && queues[0].workers >= 2 && queues[0];
      });
      expect(line).toMatchObject({ queue: 'slow', concurrency: 1, serves: ['http'], unserved: false });

      for (const id of ids)
        expect(await stack.graphql.until(id, ['COMPLETED', 'FAILED'])).toMatchObject({ status: 'COMPLETED' });
      await until('fall to one', () => events().findLast(({ event }) => event === 'stopped')?.workers === 1);
      const stopped = events().filter(({ event }) => event === 'stopped');
      for (const { pid } of stopped) expect(isAlive(pid as number)).toBe(false);
      expect(paths.map((path) => ledger.calls.filter((call) => call.path === path).length)).toEqual(paths.map(() => 1));
    } finally {
      scaler.child.kill('SIGTERM');
    }
    expect(await scaler.ended).toBe(0);
    const pids = events().flatMap(({ event, pid }) => (event === 'started' ? [pid as number] : []));
    expect(pids.length).toBeGreaterThanOrEqual(2);
    expect(pids.filter(isAlive)).toEqual([]);
  }, 180_000);

  it('refuses a queue that no pool has, and says which there are', async () => {
    const started = startCli(['worker', 'start', '--queue', 'fast'], stack.env);
    expect(await started.ended).toBe(1);
    expect(started.stderr()).toMatch(/INPUT_INVALID: No worker pool has queue fast\nhint: The queues are runs, .*slow/);
  });
});

describe('weft worker start', () => {
  it('serves its queue until it is asked to stop, and shows what Temporal measures', async () => {
    const worker = startCli(['worker', 'start', '--queue', 'slow', '--json'], stack.env);
    for (const deadline = Date.now() + 30_000; !worker.stdout().includes('\n'); await sleep(100)) {
      if (Date.now() > deadline) throw new Error(worker.stderr());
    }
    try {
      const ready = JSON.parse(worker.stdout()) as { ready: boolean; queues: string[]; metrics: string };
      expect(ready).toMatchObject({ ready: true, queues: ['slow'] });
      const id = await stack.graphql.execute('slow-call', { url: ledger.url('/once') });
      expect(await stack.graphql.until(id, ['COMPLETED', 'FAILED'])).toMatchObject({ status: 'COMPLETED' });
      const page = await (await fetch(ready.metrics)).text();
      expect(page).toMatch(/^weft_task_queue_pollers\{queue="slow",type="activity"\} [1-9]/m);
      expect(page).toMatch(/^temporal_activity_schedule_to_start_latency_bucket\{.*task_queue="slow".*\} [1-9]/m);
      expect(page).toMatch(/^temporal_worker_task_slots_used\{.*task_queue="slow".*\} /m);
      expect(page).toMatch(/^process_resident_memory_bytes /m);
    } finally {
      worker.child.kill('SIGTERM');
    }
    expect(await worker.ended).toBe(0);
  }, 90_000);
});
