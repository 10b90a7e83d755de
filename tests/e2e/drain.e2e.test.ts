import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { type Ledger, startLedger } from './ledger.ts';
import { type Stack, startStack } from './stack.ts';

let ledger: Ledger;
let stack: Stack;
let workflow: string;

const oneCall: WorkflowDefinition = {
  name: 'one-call',
  nodes: [
    {
      id: 'call',
      type: 'http',
      config: { url: '{{input.url}}', method: 'POST' },
      timeouts: { heartbeatMs: 3_000 },
    },
  ],
  edges: [],
  output: { answer: 'nodes.call.output.body' },
};

beforeAll(async () => {
  ledger = await startLedger();
  stack = await startStack({
    env: { WEFT_HTTP_ALLOWED_HOSTS: ledger.host, WEFT_CODE_DIR: join(import.meta.dirname, 'stubborn-code') },
  });
  workflow = await stack.graphql.publish(oneCall);
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await ledger?.close();
});

const start = (path: string) => stack.graphql.execute(workflow, { url: ledger.url(path) });
const callsOf = (path: string) => ledger.calls.filter((call) => call.path === path).length;

describe('a worker that is asked to stop', () => {
  it('finishes what it has, leaves the rest to others, and nothing is lost or done twice', async () => {
    const paths = Array.from({ length: 40 }, (_, index) => `/wait/700/${index}`);
    const leaver = await stack.startWorker();
    const ids = await Promise.all(paths.map(start));
    await ledger.called(paths[3] as string, 1);
    leaver.signal('SIGTERM');
    expect(await leaver.ended).toBe(0);
    for (const id of ids) {
      const run = await stack.graphql.until(id, ['COMPLETED', 'FAILED']);
      expect(run).toMatchObject({ status: 'COMPLETED' });
    }
    expect(paths.map(callsOf)).toEqual(paths.map(() => 1));
  }, 90_000);

  it('cancels at the end of the grace what is still running, and another worker tries it again', async () => {
    await stack.processes.worker.stop();
    const leaver = await stack.startWorker([], { WEFT_WORKER_GRACE_MS: '500' });
    const id = await start('/hold/long');
    await ledger.called('/hold/long', 1);
    await stack.start('worker');
    leaver.signal('SIGTERM');
    await ledger.aborted('/hold/long');
    expect(await leaver.ended).toBe(0);
    const run = await stack.graphql.until(id, ['COMPLETED', 'FAILED']);
    expect(run).toMatchObject({ status: 'COMPLETED', nodes: [{ attempts: 2 }] });
    expect(ledger.effects('/hold/long')).toBe(1);
  }, 90_000);

  it('ends at once when it is asked again, and its work is tried again all the same', async () => {
    await stack.processes.worker.stop();
    const leaver = await stack.startWorker([], { WEFT_WORKER_GRACE_MS: '60000' });
    const id = await start('/hold/stubborn');
    await ledger.called('/hold/stubborn', 1);
    await stack.start('worker');
    leaver.signal('SIGTERM');
    leaver.signal('SIGINT');
    expect(await leaver.ended).toBe(143);
    const run = await stack.graphql.until(id, ['COMPLETED', 'FAILED']);
    expect(run).toMatchObject({ status: 'COMPLETED', nodes: [{ attempts: 2 }] });
    expect(ledger.effects('/hold/stubborn')).toBe(1);
  }, 90_000);

  it('ends with a code of its own when an activity does not, and another worker tries that again', async () => {
    await stack.processes.worker.stop();
    const leaver = await stack.startWorker([], { WEFT_WORKER_GRACE_MS: '200' });
    const id = await stack.graphql.execute('hold-on', {});
    const handle = stack.temporal.client.workflow.getHandle(id);
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(100)) {
      const { pendingActivities } = (await handle.describe()).raw;
      if (pendingActivities?.[0]?.lastStartedTime) break;
    }
    leaver.signal('SIGTERM');
    expect(await leaver.ended).toBe(3);
    await stack.start('worker');
    const run = await stack.graphql.until(id, ['COMPLETED', 'FAILED']);
    expect(run).toMatchObject({ status: 'COMPLETED', output: 2, nodes: [{ id: 'hold', attempts: 2 }] });
  }, 90_000);
});
