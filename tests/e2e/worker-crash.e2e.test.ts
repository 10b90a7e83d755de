import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectDensePositions, expectEveryEventOnce } from './audit.ts';
import { threeCalls } from './definitions.ts';
import { type Ledger, startLedger } from './ledger.ts';
import { type Stack, startStack } from './stack.ts';

let ledger: Ledger;
let stack: Stack;

beforeAll(async () => {
  ledger = await startLedger();
  stack = await startStack({ env: { WEFT_HTTP_ALLOWED_HOSTS: ledger.host } });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await ledger?.close();
});

describe('a worker that is killed in the middle of an activity', () => {
  it('loses nothing and repeats no effect: the next worker sends the same idempotency key', async () => {
    const urls = ['/first', '/hold/second', '/third'] as const;
    const definition = threeCalls('worker-crash', [ledger.url(urls[0]), ledger.url(urls[1]), ledger.url(urls[2])]);
    definition.nodes.forEach((node) => (node.timeouts = { heartbeatMs: 3_000 }));
    const runId = await stack.graphql.execute(await stack.graphql.publish(definition), {});
    await ledger.called('/hold/second', 1);
    await stack.processes.worker.kill();
    await stack.start('worker');
    const run = await stack.graphql.until(runId, ['COMPLETED', 'FAILED']);
    expect(run).toMatchObject({ status: 'COMPLETED', output: { last: { path: '/third' } } });
    expect(run.nodes.map(({ id, status, attempts }) => ({ id, status, attempts }))).toEqual([
      { id: 'call1', status: 'COMPLETED', attempts: 1 },
      { id: 'call2', status: 'COMPLETED', attempts: 2 },
      { id: 'call3', status: 'COMPLETED', attempts: 1 },
    ]);
    expect(urls.map((path) => ledger.effects(path))).toEqual([1, 1, 1]);
    await expectEveryEventOnce(stack, runId);
    await expectDensePositions(stack);
  }, 90_000);
});
