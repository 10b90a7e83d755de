import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { createHintBatcher } from '../adapters/postgres/run-hints.ts';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../domain/identifiers.ts';
import type { Json } from '../domain/json.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { connectTemporal, connectionOptions, createTemporalClient } from '../temporal/client.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { startRunWorkflow } from '../temporal/start-run-workflow.ts';
import { loadPools } from '../temporal/load-pools.ts';
import { bundleWorkflows } from '../workers/bundle.ts';
import { createPoolWorker } from '../workers/create-pool-worker.ts';
import { activityChain, transformGrid } from './engine-definitions.ts';
import { type BenchResult, compared, judged, median } from './report.ts';
import { type BenchServers, startBenchServers } from './servers.ts';

const CHAIN = 20;
const CHAIN_PAIRS = 80;
const GRID_PAIRS = 10;
const BY_HAND_QUEUE = 'by-hand';
const activities = {
  http: ({ url }: { url: string }) => Promise.resolve({ status: 200, headers: {}, body: null, url }),
};

type Measured = { wallMs: number; events: number; activityEvents: number };

/** A definition against the same workflow written by hand: same server, same machine, runs taken in turn. */
export async function engine(): Promise<BenchResult[]> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const servers = await startBenchServers({ temporal: true });
  try {
    return await withWorkers(servers, measure);
  } finally {
    await servers.stop();
  }
}

type Contestants = {
  interpreted: (definition: WorkflowDefinition, input: Json) => Promise<Measured>;
  byHand: (workflow: string, args: unknown[]) => Promise<Measured>;
};

async function measure({ interpreted, byHand }: Contestants): Promise<BenchResult[]> {
  const chain = activityChain(CHAIN);
  const grid = transformGrid(20, 49);
  const inTurn = async (runs: number, left: () => Promise<Measured>, right: () => Promise<Measured>) => {
    const pairs: [Measured, Measured][] = [];
    for (let index = 0; index < runs; index += 1) {
      const first = index % 2 === 0 ? await left() : null;
      const other = await right();
      pairs.push([first ?? (await left()), other]);
    }
    return pairs;
  };
  const runChain = () => interpreted(chain, null);
  const runByHand = () => byHand('handWrittenChain', [CHAIN]);
  await inTurn(3, runChain, runByHand);
  const chains = await inTurn(CHAIN_PAIRS, runChain, runByHand);
  const wall = (side: 0 | 1) => median(chains.map((pair) => pair[side].wallMs));
  const events = (side: 0 | 1) => median(chains.map((pair) => pair[side].events));
  const runGrid = () => interpreted(grid, { start: 1 });
  const runNothing = () => byHand('nothing', []);
  await inTurn(2, runGrid, runNothing);
  const grids = await inTurn(GRID_PAIRS, runGrid, runNothing);
  const gridMs = median(grids.map(([run]) => run.wallMs));
  const nodes = grid.nodes.length;
  return [
    judged({
      name: `${CHAIN}-node chain, wall; ratio: median of ${CHAIN_PAIRS} pairs`,
      unit: 'ms',
      value: wall(0),
      baseline: wall(1),
      ratio: median(chains.map(([run, other]) => run.wallMs / other.wallMs)),
      goal: { atMost: 1.05 },
    }),
    compared({
      name: `${CHAIN}-node chain, history`,
      unit: 'events',
      value: events(0),
      baseline: events(1),
      goal: { atMost: 1 },
    }),
    compared({
      name: `${nodes} transform nodes, history against an empty workflow`,
      unit: 'events',
      value: median(grids.map(([run]) => run.events)),
      baseline: median(grids.map(([, empty]) => empty.events)),
      goal: { atMost: 1 },
    }),
    compared({
      name: `${nodes} transform nodes against activities by hand`,
      unit: 'nodes/s',
      value: (nodes / gridMs) * 1000,
      baseline: (CHAIN / wall(1)) * 1000,
      goal: { atLeast: 100 },
    }),
  ];
}

async function withWorkers<Result>(
  { settings }: BenchServers,
  use: (contestants: Contestants) => Promise<Result>,
): Promise<Result> {
  const pool = createPool(settings.DATABASE_URL, settings.CONNECTION_POOL_SIZE);
  const store = createPayloadStore(pool);
  const hints = createHintBatcher(pool, { onError: (error) => process.stderr.write(`${String(error)}\n`) });
  const native = await NativeConnection.connect(connectionOptions(settings));
  const connection = await connectTemporal(settings);
  const namespace = settings.TEMPORAL_NAMESPACE;
  const [runsPool] = loadPools(settings);
  if (runsPool === undefined) return Promise.reject(new TypeError('no pool'));
  const workers = await Promise.all([
    createPoolWorker({
      pool: runsPool,
      connection: native,
      namespace,
      dataConverter: createDataConverter(settings, store),
      activities,
      workflowBundle: { code: await bundleWorkflows(new DefaultLogger('ERROR')) },
      hint: hints.hint,
      slots: { maxConcurrentActivityTaskExecutions: settings.WEFT_QUEUE_RUNS_CONCURRENCY },
      cache: {},
      graceMs: 0,
      maxResultBytes: settings.WEFT_PAYLOAD_MAX_BYTES,
      log: pino({ level: 'silent' }),
    }),
    Worker.create({
      connection: native,
      namespace,
      taskQueue: BY_HAND_QUEUE,
      activities,
      workflowBundle: await bundleWorkflowCode({
        workflowsPath: fileURLToPath(import.meta.resolve('./workflows.ts')),
        logger: new DefaultLogger('ERROR'),
      }),
    }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  try {
    const plain = new Client({ connection, namespace });
    const ours = createTemporalClient(connection, settings, store);
    return await use({ interpreted: interpretedBy(ours), byHand: writtenByHand(plain) });
  } finally {
    for (const worker of workers) worker.shutdown();
    await running;
    await hints.close();
    await connection.close();
    await native.close();
    await pool.end();
  }
}

let started = 0;

function interpretedBy(client: Client): Contestants['interpreted'] {
  return async (definition, input) => {
    const id = runId(`bench-${(started += 1)}`);
    const begun = performance.now();
    await startRunWorkflow(
      client,
      {
        id,
        tenantId: DEFAULT_TENANT,
        workflowId: workflowId(definition.name),
        version: 1,
        definitionHash: definitionHash(''),
        input,
      },
      definition,
    );
    return finish(client, id, begun);
  };
}

function writtenByHand(client: Client): Contestants['byHand'] {
  return async (workflow, args) => {
    const id = `bench-${(started += 1)}`;
    const begun = performance.now();
    await client.workflow.start(workflow, { workflowId: id, taskQueue: BY_HAND_QUEUE, args });
    return finish(client, id, begun);
  };
}

async function finish(client: Client, id: string, begun: number): Promise<Measured> {
  const handle = client.workflow.getHandle(id);
  await handle.result();
  const wallMs = performance.now() - begun;
  const events = (await handle.fetchHistory()).events ?? [];
  const activityEvents = events.filter((event) => event.activityTaskScheduledEventAttributes).length;
  return { wallMs, events: events.length, activityEvents };
}
