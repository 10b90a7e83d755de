import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultPayloadConverter, METADATA_ENCODING_KEY } from '@temporalio/common';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { hintRuns } from '../adapters/postgres/run-hints.ts';
import { listRuns, readRun } from '../adapters/postgres/run-store.ts';
import { readDefinition } from '../adapters/postgres/definition-store.ts';
import { DEFAULT_TENANT, runId, type RunId, workflowId } from '../domain/identifiers.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { INTERPRETER_VERSION } from '../domain/runs/messages.ts';
import { type FeedSite, openFeedSite } from '../tests/feed-site.ts';
import { testTemporal, testWorkflowBundle, uniqueName } from '../tests/servers.ts';
import { startWorkers } from './start-workers.ts';

const NEVER_MS = 600_000;
const codePath = fileURLToPath(new URL('../tests/attempted-workflow.ts', import.meta.url));
const doubling: WorkflowDefinition = {
  name: 'doubling',
  nodes: [{ id: 'double', type: 'transform', config: { value: 'input.n * 2' } }],
  edges: [],
  output: 'nodes.double.output',
};
let site: FeedSite;

beforeAll(async () => {
  site = await openFeedSite();
}, 120_000);
afterEach(() => site.stopProjectors());
afterAll(() => site?.close());

const temporalCli = (...words: string[]) =>
  promisify(execFile)(testTemporal().binary, [
    ...words,
    ...['--address', testTemporal().address, '--namespace', site.settings.TEMPORAL_NAMESPACE],
  ]);

async function expectEveryEvent(id: RunId): Promise<void> {
  const history = await site.client.workflow.getHandle(id).fetchHistory();
  const stored = await site.events(id);
  expect(stored.map(({ version }) => version)).toEqual(history.events?.map(({ eventId }) => Number(eventId)));
}

describe('a run that another client starts', () => {
  it("by Temporal's own CLI, with its definition, is there at once with its nodes, and nobody needs the reconciler", async () => {
    await site.project({ reconcileIntervalMs: NEVER_MS });
    const id = runId(uniqueName('cli'));
    const workers = await startWorkers({
      ...{ settings: site.settings, queues: ['runs'], workflowBundle: testWorkflowBundle() },
      log: pino({ level: 'silent' }),
    });
    try {
      await temporalCli(
        ...['workflow', 'start', '--type', 'run', '--task-queue', 'runs', '--workflow-id', id],
        ...['--input', JSON.stringify({ input: { n: 21 }, interpreterVersion: INTERPRETER_VERSION })],
        ...['--input', JSON.stringify({ weftDefinition: doubling })],
      );
      const run = await site.until(id, 'COMPLETED');
      expect(run).toMatchObject({ workflowId: 'doubling', version: 1, input: { n: 21 }, output: 42 });
      expect(run.trigger).toMatchObject({ kind: 'MANUAL', source: expect.stringContaining('@') });
    } finally {
      await workers.stop();
    }
    await expectEveryEvent(id);
    const { rows } = await listRuns(site.pool, { tenantId: DEFAULT_TENANT, first: 10 });
    expect(rows.map((row) => row.id)).toContain(id);
    const published = await readDefinition(site.pool, DEFAULT_TENANT, workflowId('doubling'));
    expect(published?.deprecation?.reason).toContain('another client');
  }, 90_000);

  it('of any workflow type in our queues is there, its values too in whatever encoding, found by the reconciler alone', async () => {
    await site.project({ useHints: false });
    const id = runId(uniqueName('other'));
    const opaque = { metadata: { [METADATA_ENCODING_KEY]: Buffer.from('binary/protobuf') }, data: Buffer.from([1, 2]) };
    await site.connection.workflowService.startWorkflowExecution({
      ...{ namespace: site.settings.TEMPORAL_NAMESPACE, workflowId: id, requestId: id, identity: 'some-go-service' },
      ...{ workflowType: { name: 'com.acme.Billing' }, taskQueue: { name: 'runs' } },
      input: { payloads: [defaultPayloadConverter.toPayload({ invoice: 7 }), opaque] },
    });
    const run = await site.until(id, 'RUNNING');
    expect(run).toMatchObject({
      workflowId: 'com.acme.billing',
      input: [{ invoice: 7 }, { $encoding: 'binary/protobuf', base64: 'AQI=' }],
      trigger: { source: 'some-go-service' },
    });
    await site.client.workflow.getHandle(id).terminate('enough');
    await site.until(id, 'TERMINATED');
    await expectEveryEvent(id);
  }, 90_000);

  it('while no projector is there is found by the next one', async () => {
    await site.project();
    await sleep(1_500);
    await site.stopProjectors();
    const id = runId(uniqueName('meanwhile'));
    await site.whileWorking({ workflowsPath: codePath }, async () => {
      await site.client.workflow.start('attempted', {
        ...{ workflowId: id, taskQueue: 'runs', retry: { initialInterval: 10, maximumAttempts: 2 } },
      });
      await site.client.workflow.result(id);
    });
    await site.pool.query("UPDATE feed_watermarks SET listed_until = now() - interval '2 days'");
    await site.project();
    expect(await site.until(id, 'COMPLETED')).toMatchObject({ workflowId: 'attempted', output: 'done in attempt 2' });
    expect(new Set((await site.events(id)).map(({ streamId }) => streamId)).size).toBe(2);
  }, 90_000);

  it('in a queue of somebody else stays out, and so does what a schedule holds', async () => {
    await site.project();
    const ids = [runId(uniqueName('elsewhere')), runId(uniqueName('holder')), runId(uniqueName('here'))] as const;
    const start = (type: string, id: string, taskQueue: string) =>
      site.client.workflow.start(type, { workflowId: id, taskQueue, args: [] });
    await start('Their', ids[0], 'their-queue');
    await start('scheduledRun', ids[1], 'runs');
    await start('Ours', ids[2], 'runs');
    await hintRuns(site.pool, ids);
    await site.until(ids[2], 'RUNNING');
    await sleep(1_500);
    for (const id of ids.slice(0, 2)) expect(await readRun(site.pool, DEFAULT_TENANT, id)).toBeUndefined();
  }, 60_000);
});
