import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { DefaultLogger } from '@temporalio/worker';
import type pg from 'pg';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { insertRun } from '../adapters/postgres/run-store.ts';
import { publishDefinition } from '../adapters/postgres/definition-store.ts';
import { DEFAULT_TENANT, definitionHash, runId } from '../domain/identifiers.ts';
import { canonicalJson } from '../domain/runs/canonical-json.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { connectTemporal, createTemporalClient } from '../temporal/client.ts';
import { contentHash } from '../temporal/content-hash.ts';
import { startRunWorkflow } from '../temporal/start-run-workflow.ts';
import { type Process, startProcess } from '../tests/e2e/process.ts';
import { buildWorkflowBundle } from '../workers/bundle.ts';
import { memoryKb } from './process-memory.ts';
import { type BenchResult, compared } from './report.ts';
import { type BenchServers, startBenchServers } from './servers.ts';

const WAITING = Number(process.env['BENCH_RUNS'] ?? 2_000);
const ACTIVE = Math.min(400, WAITING);
/** Runs that the worker keeps in memory; the others wait in Temporal alone and are replayed when they go on. */
const CACHED = Math.min(500, WAITING);
/** Grows the heaps to what a busy process has anyway. */
const WARM_UP = 200;
const LANES = 20;
const SETTLE_MS = 5_000;
const GOAL_KB = { waiting: 100, active: 2_048 };

/** Runs that wait for a person, and runs with a call under way, all at once: what each costs in the processes that hold it. */
export async function waiting(): Promise<BenchResult[]> {
  const servers = await startBenchServers({ temporal: true });
  const slow = createServer(() => undefined);
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(slow.address() as AddressInfo).port}`;
  const pool = createPool(servers.settings.DATABASE_URL, LANES);
  const connection = await connectTemporal(servers.settings);
  const client = createTemporalClient(connection, servers.settings, createPayloadStore(pool));
  let worker: Process | undefined;
  try {
    worker = await startWorker(servers, host);
    const site = { servers, worker, pool, client };
    await startRuns(site, asking(), WARM_UP, 'WAITING');
    const waitingKb = await costOf(site, () => startRuns(site, asking(), WAITING, 'WAITING'));
    const activeKb = await costOf(site, () => startRuns(site, calling(host), ACTIVE, 'RUNNING'));
    const row = (state: 'waiting' | 'active', part: string, kb: number, runs: number, goal: number) =>
      compared({
        name: `memory of ${part} a run, ${runs} ${state} at once`,
        ...{ unit: 'KB', value: kb / runs, baseline: goal, goal: { atMost: 1 } },
      });
    return [
      row('waiting', `the worker, which caches ${CACHED},`, waitingKb.worker, WAITING, GOAL_KB.waiting),
      row('waiting', 'Temporal', waitingKb.temporal, WAITING, GOAL_KB.waiting),
      row('waiting', 'Postgres', waitingKb.postgres, WAITING, GOAL_KB.waiting),
      compared({
        name: 'memory of the worker a run in its cache',
        ...{ unit: 'KB', value: waitingKb.worker / CACHED, baseline: GOAL_KB.active, goal: { atMost: 1 } },
      }),
      row('active', 'the worker', activeKb.worker, ACTIVE, GOAL_KB.active),
      row('active', 'Temporal', activeKb.temporal, ACTIVE, GOAL_KB.active),
      row('active', 'Postgres', activeKb.postgres, ACTIVE, GOAL_KB.active),
    ];
  } finally {
    await worker?.kill();
    await connection.close();
    await pool.end();
    slow.closeAllConnections();
    slow.close();
    await servers.stop();
  }
}

type Site = { servers: BenchServers; worker: Process; pool: pg.Pool; client: Client };

async function startWorker({ settings, folder }: BenchServers, host: string): Promise<Process> {
  // Made here, so that the compiler's memory is not taken for the worker's.
  const bundle = join(folder, 'workflows.js');
  await buildWorkflowBundle({ outFile: bundle }, new DefaultLogger('ERROR'));
  return startProcess('workers/main.ts', ['--bundle', bundle], {
    ...process.env,
    DATABASE_URL: settings.DATABASE_URL,
    TEMPORAL_ADDRESS: settings.TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE: settings.TEMPORAL_NAMESPACE,
    WEFT_HTTP_ALLOWED_HOSTS: host,
    WEFT_QUEUE_RUNS_CONCURRENCY: String(ACTIVE),
    WEFT_WORKER_TUNER: 'fixed',
    WEFT_WORKER_CACHED_RUNS: String(CACHED),
    METRICS_PORT: '0',
    WEFT_LOG_LEVEL: 'warn',
  });
}

/** How much the processes have grown by what `work` started, once they have come to rest. */
async function costOf({ servers, worker }: Site, work: () => Promise<void>) {
  const measure = () => ({
    worker: memoryKb(worker.pid),
    temporal: memoryKb(servers.pids.temporal ?? -1),
    postgres: memoryKb(servers.pids.postgres),
  });
  await sleep(SETTLE_MS);
  const before = measure();
  await work();
  await sleep(SETTLE_MS);
  const after = measure();
  return {
    worker: after.worker - before.worker,
    temporal: after.temporal - before.temporal,
    postgres: after.postgres - before.postgres,
  };
}

let started = 0;

async function startRuns(
  { pool, client }: Site,
  definition: WorkflowDefinition,
  count: number,
  status: 'WAITING' | 'RUNNING',
): Promise<void> {
  const hash = definitionHash(contentHash(canonicalJson(definition)));
  const { workflowId, version } = await publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition });
  const prefix = `${definition.name}-${(started += 1)}`;
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const id = runId(`${prefix}-${(next += 1)}`);
      const { run } = await insertRun(pool, {
        ...{ id, tenantId: DEFAULT_TENANT, workflowId, version, definitionHash: hash, input: { who: 'Ada' } },
        ...{ idempotencyKey: null, createdAt: new Date() },
      });
      await startRunWorkflow(client, run, definition);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const query = `WeftStatus = "${status}" AND ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "${prefix}-"`;
  for (const until = Date.now() + 300_000; ; await sleep(500)) {
    if ((await client.workflow.count(query)).count >= count) break;
    if (Date.now() > until) throw new Error(`not all of ${count} runs came to ${status}`);
  }
}

function asking(): WorkflowDefinition {
  return {
    name: 'bench-asking',
    nodes: [
      { id: 'facts', type: 'transform', config: { value: { name: 'input.who' } } },
      { id: 'ask', type: 'approval', config: { title: 'Go on with {{nodes.facts.output.name}}?' } },
      { id: 'done', type: 'transform', config: { value: 'nodes.ask.output.comment' } },
    ],
    edges: [
      { from: 'facts', to: 'ask' },
      { from: 'ask', port: 'approved', to: 'done' },
    ],
  };
}

function calling(host: string): WorkflowDefinition {
  const call = { url: `http://${host}/{{input.who}}`, method: 'POST', timeoutMs: 600_000 };
  return {
    name: 'bench-calling',
    nodes: [{ id: 'call', type: 'http', config: call, timeouts: { startToCloseMs: 600_000 } }],
    edges: [],
  };
}
