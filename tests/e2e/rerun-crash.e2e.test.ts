import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { expectDensePositions, expectEveryEventOnce } from './audit.ts';
import { type Ledger, startLedger } from './ledger.ts';
import { type Stack, startStack } from './stack.ts';

let ledger: Ledger;
let stack: Stack;

beforeAll(async () => {
  ledger = await startLedger();
  stack = await startStack({ env: { WEFT_HTTP_ALLOWED_HOSTS: ledger.host, WEFT_RECONCILE_INTERVAL_MS: '1000' } });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await ledger?.close();
});

const PATHS = ['/first', '/second', '/hold/third', '/hold/fourth', '/fifth'] as const;

function chain(): WorkflowDefinition {
  const nodes = PATHS.map((path, index) => ({
    id: `call${index + 1}`,
    type: 'http',
    config: { url: ledger.url(path), method: 'POST' },
    timeouts: { heartbeatMs: 3_000 },
  }));
  const edges = nodes.slice(1).map(({ id }, index) => ({ from: `call${index + 1}`, to: id }));
  return { name: 'rerun-crash', nodes, edges, policies: { concurrency: [{ limit: 5 }] } };
}

describe('worker, projector and API that are killed in the middle of a rerun', () => {
  it('call no node whose result was taken over, and every other one once', async () => {
    const workflowId = await stack.graphql.publish(chain());
    const first = await stack.graphql.execute(workflowId, {});
    await ledger.called('/hold/third', 1);
    await stack.graphql.send('mutation ($id: ID!) { terminateRun(runId: $id) { id } }', { id: first });
    await stack.graphql.until(first, ['TERMINATED']);

    const { data } = await stack.graphql.send<{ rerunFrom: { id: string } }>(
      'mutation ($id: ID!) { rerunFrom(runId: $id) { id } }',
      { id: first },
    );
    const second = data.rerunFrom.id;
    await ledger.called('/hold/fourth', 1);
    const { worker, projector, api, gateway } = stack.processes;
    await Promise.all([worker.kill(), projector.kill(), api.kill(), gateway.kill()]);
    await Promise.all([stack.start('worker'), stack.start('projector'), stack.start('api')]);
    await stack.start('gateway');

    const run = await stack.graphql.until(second, ['COMPLETED', 'FAILED']);
    expect(run).toMatchObject({ status: 'COMPLETED' });
    expect(run.nodes.map(({ attempts }) => attempts)).toEqual([0, 0, 1, 2, 1]);
    // The third was under way in the run that was terminated, and is another effect in the new one.
    expect(PATHS.map((path) => ledger.effects(path))).toEqual([1, 1, 2, 1, 1]);
    await expectEveryEventOnce(stack, second);
    await expectDensePositions(stack);
  }, 120_000);
});
