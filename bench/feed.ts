import { setTimeout as sleep } from 'node:timers/promises';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import type pg from 'pg';
import { pino } from 'pino';
import { publishDefinition } from '../adapters/postgres/definition-store.ts';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { createHintBatcher } from '../adapters/postgres/run-hints.ts';
import { insertRun } from '../adapters/postgres/run-store.ts';
import { DEFAULT_TENANT, definitionHash, runId } from '../domain/identifiers.ts';
import { canonicalJson } from '../domain/runs/canonical-json.ts';
import type { PublishedDefinition } from '../domain/runs/run-record.ts';
import { connectTemporal, connectionOptions, createTemporalClient } from '../temporal/client.ts';
import { contentHash } from '../temporal/content-hash.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { startRunWorkflow } from '../temporal/start-run-workflow.ts';
import { loadPools } from '../temporal/load-pools.ts';
import { type Process, startProcess } from '../tests/e2e/process.ts';
import { bundleWorkflows } from '../workers/bundle.ts';
import { createPoolWorker } from '../workers/create-pool-worker.ts';
import { activityChain } from './engine-definitions.ts';
import { cpuSeconds } from './process-cpu.ts';
import { type BenchResult, compared, quantile } from './report.ts';
import { type BenchServers, startBenchServers } from './servers.ts';

const STEPS = 10;
const CONCURRENCY = 20;
const BACKLOG_RUNS = Number(process.env['BENCH_RUNS'] ?? 200);
const HALF_LOAD_MS = 20_000;
const GOAL_MS = 250;
const MOST_CPU = 0.15;
const activities = {
  http: ({ url }: { url: string }) => Promise.resolve({ status: 200, headers: {}, body: null, url }),
};

/**
 * How far the read model is behind Temporal, and how fast it catches up.
 * Lag of a run: from the time Temporal gave its close event to the first poll (every 5 ms) that sees COMPLETED in `runs`.
 */
export async function feed(): Promise<BenchResult[]> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const servers = await startBenchServers({ temporal: true });
  try {
    return await measure(servers);
  } finally {
    await servers.stop();
  }
}

async function measure(servers: BenchServers): Promise<BenchResult[]> {
  const site = await openSite(servers);
  let projector: Process | undefined;
  try {
    await keepRunning(site, { runs: 20, concurrency: CONCURRENCY, everyMs: 0 });
    const begun = performance.now();
    await keepRunning(site, { runs: BACKLOG_RUNS, concurrency: CONCURRENCY, everyMs: 0 });
    const seconds = (performance.now() - begun) / 1000;
    const expected = site.events;
    const serverRate = (expected * (BACKLOG_RUNS / (BACKLOG_RUNS + 20))) / seconds;
    projector = await startProjector(servers);
    const caughtUp = await catchUp(site.pool, expected);
    const lags = await lagAtHalfLoad(site, (BACKLOG_RUNS / seconds) * 0.5);
    const used = cpuOf({ projector: projector.pid, temporal: servers.pids.temporal ?? -1 });
    await keepRunning(site, { runs: BACKLOG_RUNS, concurrency: CONCURRENCY, everyMs: 0 });
    const cpu = used();
    const p50 = quantile(lags, 0.5);
    const p99 = quantile(lags, 0.99);
    return [
      compared({
        name: `lag p50 of ${lags.length} runs at half load`,
        unit: 'ms',
        value: p50,
        baseline: GOAL_MS,
        goal: { atMost: 1 },
      }),
      compared({
        name: `lag p99 of ${lags.length} runs at half load`,
        unit: 'ms',
        value: p99,
        baseline: GOAL_MS,
        goal: { atMost: 1 },
      }),
      compared({
        name: `catching up with ${expected} events against the server making them`,
        unit: 'events/s',
        value: caughtUp.rate,
        baseline: serverRate,
        goal: { atLeast: 20 },
      }),
      compared({
        name: "CPU of the projector process at full load against the Temporal server's",
        unit: 's',
        value: cpu.projector,
        baseline: cpu.temporal,
        goal: { atMost: MOST_CPU },
      }),
    ];
  } finally {
    await projector?.stop();
    await site.close();
  }
}

type Pids = { projector: number; temporal: number };

/** Seconds of CPU that each has used when it is called. */
function cpuOf({ projector, temporal }: Pids): () => Pids {
  const before = { projector: cpuSeconds(projector), temporal: cpuSeconds(temporal) };
  return () => ({
    projector: cpuSeconds(projector) - before.projector,
    temporal: cpuSeconds(temporal) - before.temporal,
  });
}

type Site = {
  pool: pg.Pool;
  /** Events in the histories of all runs so far. */
  events: number;
  run: () => Promise<void>;
  close: () => Promise<void>;
};

async function openSite({ settings }: BenchServers): Promise<Site> {
  const pool = createPool(settings.DATABASE_URL, settings.CONNECTION_POOL_SIZE);
  const store = createPayloadStore(pool);
  const hints = createHintBatcher(pool, { onError: (error) => process.stderr.write(`${String(error)}\n`) });
  const native = await NativeConnection.connect(connectionOptions(settings));
  const connection = await connectTemporal(settings);
  const client = createTemporalClient(connection, settings, store);
  const [runsPool] = loadPools(settings);
  const worker = await createPoolWorker({
    pool: runsPool as NonNullable<typeof runsPool>,
    connection: native,
    namespace: settings.TEMPORAL_NAMESPACE,
    dataConverter: createDataConverter(settings, store),
    activities,
    workflowBundle: { code: await bundleWorkflows(new DefaultLogger('ERROR')) },
    hint: hints.hint,
    slots: { maxConcurrentActivityTaskExecutions: settings.WEFT_QUEUE_RUNS_CONCURRENCY },
    cache: {},
    graceMs: 0,
    maxResultBytes: settings.WEFT_PAYLOAD_MAX_BYTES,
    log: pino({ level: 'silent' }),
  });
  const running = worker.run();
  const published = await publish(pool);
  const site: Site = {
    pool,
    events: 0,
    run: async () => {
      const run = await insertedRun(pool, published);
      await startRunWorkflow(client, run, published.definition);
      const handle = client.workflow.getHandle(run.id);
      await handle.result();
      const { historyLength } = await handle.describe();
      site.events += historyLength;
    },
    close: async () => {
      worker.shutdown();
      await running;
      await hints.close();
      await connection.close();
      await native.close();
      await pool.end();
    },
  };
  return site;
}

function publish(pool: pg.Pool): Promise<PublishedDefinition> {
  const definition = activityChain(STEPS);
  const hash = definitionHash(contentHash(canonicalJson(definition)));
  return publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition });
}

let started = 0;

async function insertedRun(pool: pg.Pool, { workflowId, version, hash }: PublishedDefinition) {
  const { run } = await insertRun(pool, {
    id: runId(`bench-${(started += 1)}`),
    tenantId: DEFAULT_TENANT,
    workflowId,
    version,
    definitionHash: hash,
    input: null,
    idempotencyKey: null,
    createdAt: new Date(),
  });
  return run;
}

type Load = { runs: number; concurrency: number; everyMs: number };

async function keepRunning(site: Site, { runs, concurrency, everyMs }: Load): Promise<void> {
  let left = runs;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      const begun = performance.now();
      await site.run();
      await sleep(Math.max(0, everyMs - (performance.now() - begun)));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}

function startProjector({ settings }: BenchServers): Promise<Process> {
  return startProcess('workers/projector-main.ts', [], {
    ...process.env,
    DATABASE_URL: settings.DATABASE_URL,
    TEMPORAL_ADDRESS: settings.TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE: settings.TEMPORAL_NAMESPACE,
    METRICS_PORT: '0',
    WEFT_LOG_LEVEL: 'warn',
  });
}

/** From the first event stored to the last, over the whole backlog. */
async function catchUp(pool: pg.Pool, expected: number): Promise<{ rate: number }> {
  const deadline = performance.now() + 120_000;
  while (performance.now() < deadline) {
    const { rows } = await pool.query<{ count: number; ms: number }>(
      `SELECT count(*)::int AS count, extract(epoch FROM max(recorded_at) - min(recorded_at)) * 1000 AS ms
       FROM events JOIN event_streams USING (stream_key) WHERE run_id IS NOT NULL`,
    );
    const row = rows[0];
    if (row && row.count >= expected) return { rate: (row.count * 1000) / Number(row.ms) };
    await sleep(50);
  }
  throw new Error(`the backlog of ${expected} events was not caught up with in 120 s`);
}

async function lagAtHalfLoad(site: Site, runsPerSecond: number): Promise<number[]> {
  const watch = watchCompletions(site.pool);
  const lanes = CONCURRENCY / 2;
  const everyMs = (lanes * 1000) / runsPerSecond;
  await keepRunning(site, { runs: Math.ceil((HALF_LOAD_MS / everyMs) * lanes), concurrency: lanes, everyMs });
  await sleep(2_000);
  return watch.stop();
}

function watchCompletions(pool: pg.Pool): { stop: () => Promise<number[]> } {
  const lags: number[] = [];
  let stopped = false;
  const watching = (async () => {
    const seen = new Set<string>();
    const since = new Date();
    while (!stopped) {
      const { rows } = await pool.query<{ id: string; closed_at: Date }>(
        `SELECT id, closed_at FROM runs WHERE status = 'COMPLETED' AND created_at > $1`,
        [since],
      );
      const now = Date.now();
      for (const row of rows) {
        if (seen.has(row.id)) continue;
        seen.add(row.id);
        lags.push(now - row.closed_at.getTime());
      }
      await sleep(5);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await watching;
      return lags;
    },
  };
}
