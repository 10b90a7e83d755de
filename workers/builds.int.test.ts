import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { pino } from 'pino';
import { loadSettings } from '../config/load.ts';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../domain/identifiers.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { APPROVE_UPDATE } from '../domain/runs/messages.ts';
import { connectTemporal, createTemporalClient } from '../temporal/client.ts';
import { startRunWorkflow } from '../temporal/start-run-workflow.ts';
import { listBuilds, setCurrentBuild } from '../temporal/worker-deployment.ts';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { createTestNamespace } from '../tests/namespaces.ts';
import { createTestDatabase, testTemporal, uniqueName, testWorkflowBundle } from '../tests/servers.ts';
import { startWorkers } from './start-workers.ts';

const asks = (limit: number): WorkflowDefinition => ({
  name: 'asks',
  nodes: [
    { id: 'ask', type: 'approval', config: { title: 'Go on?' } },
    { id: 'round', type: 'loop', config: { maximumIterations: 12, onBound: 'route' } },
    { id: 'nap', type: 'delay', parent: 'round', config: { durationMs: 5 } },
    { id: 'again', type: 'approval', config: { title: 'Go on?' } },
  ],
  edges: [
    { from: 'ask', port: 'approved', to: 'round' },
    { from: 'round', port: 'bound', to: 'again' },
  ],
  policies: { continueAsNewAfterEvents: limit },
});

describe('two builds of the worker side by side', () => {
  let close: () => Promise<void>;
  let client: Client;
  let startBuild: (buildId: string) => Promise<void>;
  beforeAll(async () => {
    const database = await createTestDatabase();
    const settings = {
      ...loadSettings({}),
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: testTemporal().address,
      TEMPORAL_NAMESPACE: await createTestNamespace(),
    };
    const pool = createPool(database.url, 5);
    const connection = await connectTemporal(settings);
    client = createTemporalClient(connection, settings, createPayloadStore(pool));
    const workflowBundle = testWorkflowBundle();
    const workers: Awaited<ReturnType<typeof startWorkers>>[] = [];
    startBuild = async (buildId) => {
      const log = pino({ level: 'silent' });
      const own = { ...settings, WEFT_WORKER_BUILD_ID: buildId };
      workers.push(await startWorkers({ settings: own, queues: ['runs'], workflowBundle, log }));
    };
    close = async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await connection.close();
      await pool.end();
      await database.drop();
    };
  }, 120_000);
  afterAll(() => close());

  async function start(limit: number): Promise<WorkflowHandle> {
    const id = runId(uniqueName('run'));
    const run = {
      id,
      tenantId: DEFAULT_TENANT,
      workflowId: workflowId('asks'),
      version: 1,
      definitionHash: definitionHash('0'.repeat(64)),
      input: null,
    };
    await startRunWorkflow(client, run, asks(limit));
    return client.workflow.getHandle(id);
  }
  const answer = (handle: WorkflowHandle, nodeId: string) =>
    eventually(() =>
      handle.executeUpdate(APPROVE_UPDATE, {
        args: [{ nodeId, decision: 'APPROVED', comment: null, data: null, decidedBy: null }],
      }),
    );
  /** The build that completed the last workflow task. */
  const buildOf = async (handle: WorkflowHandle): Promise<string | null | undefined> => {
    const { raw } = await handle.describe();
    return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId;
  };

  it('keep an old run with its build, start new ones on the current, and move a long one when it continues as new', async () => {
    await startBuild('one');
    await eventually(async () =>
      expect((await listBuilds(client)).find(({ current }) => current)?.buildId).toBe('one'),
    );
    const [old, long] = [await start(2_000), await start(20)];
    await eventually(async () => expect([await buildOf(old), await buildOf(long)]).toEqual(['one', 'one']));
    await startBuild('two');
    await expect(setCurrentBuild(client, 'three')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await eventually(() => setCurrentBuild(client, 'two'));
    const fresh = await start(2_000);
    await eventually(async () => expect(await buildOf(fresh)).toBe('two'));
    for (const handle of [old, long]) await answer(handle, 'ask');
    await eventually(async () => expect(await buildOf(long)).toBe('two'));
    for (const handle of [old, long]) await answer(handle, 'again');
    await Promise.all([old.result(), long.result()]);
    expect([await buildOf(old), await buildOf(long)]).toEqual(['one', 'two']);
  }, 120_000);
});

async function eventually<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= 150) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
