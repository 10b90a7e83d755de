import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testTemporal } from '../servers.ts';
import { expectEveryEventOnce } from './audit.ts';
import { approvalThen, threeCalls } from './definitions.ts';
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

const temporalCli = (...args: string[]) =>
  promisify(execFile)(testTemporal().binary, [...args, '--address', stack.address, '--namespace', stack.namespace]);

describe("a run that is ended by Temporal's own CLI", () => {
  it('is TERMINATED in the read model, its open node CANCELLED', async () => {
    const workflowId = await stack.graphql.publish(approvalThen('terminated', ledger.url('/never')));
    const runId = await stack.graphql.execute(workflowId, {});
    await stack.graphql.until(runId, ['WAITING']);
    await temporalCli('workflow', 'terminate', '--workflow-id', runId, '--reason', 'by an operator');
    const run = await stack.graphql.until(runId, ['TERMINATED'], 30_000);
    expect(run.nodes.map(({ id, status }) => ({ id, status }))).toEqual([
      { id: 'ask', status: 'CANCELLED' },
      { id: 'call', status: 'CANCELLED' },
    ]);
    expect(ledger.effects('/never')).toBe(0);
    await expectEveryEventOnce(stack, runId);
  }, 60_000);

  it('is CANCELLED when cancelled, and the HTTP call in flight is aborted', async () => {
    const urls = [ledger.url('/hold/open'), ledger.url('/x'), ledger.url('/y')] as const;
    const runId = await stack.graphql.execute(await stack.graphql.publish(threeCalls('cancelled', [...urls])), {});
    await ledger.called('/hold/open', 1);
    await temporalCli('workflow', 'cancel', '--workflow-id', runId);
    const run = await stack.graphql.until(runId, ['CANCELLED'], 30_000);
    expect(run.nodes.every((node) => node.status === 'CANCELLED')).toBe(true);
    await ledger.aborted('/hold/open');
    expect(ledger.effects('/x')).toBe(0);
    await expectEveryEventOnce(stack, runId);
  }, 60_000);
});
