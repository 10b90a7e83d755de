import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findFreePort } from '../../adapters/embedded/free-port.ts';
import { spawnGuarded } from '../../adapters/embedded/guarded-process.ts';
import { startTemporalDevServer, type TemporalDevServer } from '../../temporal/dev-server.ts';
import { testTemporal } from '../servers.ts';
import { expectEveryEventOnce } from './audit.ts';
import { approvalThen } from './definitions.ts';
import { type Ledger, startLedger } from './ledger.ts';
import { type Stack, startStack } from './stack.ts';

let folder: string;
let ports: { port: number; uiPort: number };
let server: TemporalDevServer;
let ledger: Ledger;
let stack: Stack;

const startServer = () =>
  startTemporalDevServer({
    binary: testTemporal().binary,
    dbFile: join(folder, 'temporal.db'),
    ...ports,
    namespace: 'default',
    log: () => undefined,
    spawn: spawnGuarded,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-temporal-'));
  const taken = new Set<number>();
  ports = { port: await findFreePort(0, taken), uiPort: await findFreePort(0, taken) };
  server = await startServer();
  ledger = await startLedger();
  stack = await startStack({
    env: { WEFT_HTTP_ALLOWED_HOSTS: ledger.host },
    temporal: { address: server.address, namespace: 'default' },
  });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await server?.stop();
  await ledger?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('when Temporal is killed and started again', () => {
  it('a waiting run goes on where it was', async () => {
    const workflowId = await stack.graphql.publish(approvalThen('temporal-restart', ledger.url('/after')));
    const runId = await stack.graphql.execute(workflowId, {});
    await stack.graphql.until(runId, ['WAITING']);
    await server.stop(0);
    server = await startServer();
    const approve = `mutation($id: ID!) { approve(runId: $id, nodeId: "ask", decision: APPROVED) { id status } }`;
    const deadline = Date.now() + 60_000;
    for (;;) {
      const { errors } = await stack.graphql.send(approve, { id: runId });
      if (!errors) break;
      if (Date.now() > deadline) throw new Error(JSON.stringify(errors));
    }
    const run = await stack.graphql.until(runId, ['COMPLETED', 'FAILED'], 60_000);
    expect(run).toMatchObject({ status: 'COMPLETED', output: { answer: { decision: 'APPROVED' } } });
    expect(ledger.effects('/after')).toBe(1);
    await expectEveryEventOnce(stack, runId);
  }, 150_000);
});
