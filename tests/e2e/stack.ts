import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger } from '@temporalio/worker';
import pg from 'pg';
import { createPayloadStore } from '../../adapters/postgres/payload-store.ts';
import { loadSettings } from '../../config/load.ts';
import { connectTemporal, createTemporalClient } from '../../temporal/client.ts';
import { buildWorkflowBundle } from '../../workers/bundle.ts';
import { signInRequired } from '../access.ts';
import { createTestNamespace } from '../namespaces.ts';
import { createTestDatabase, testTemporal, testWorkflowBundle } from '../servers.ts';
import { graphqlClient, type GraphQl } from './graphql.ts';
import { type Process, startProcess } from './process.ts';

type ServiceName = 'worker' | 'projector' | 'api' | 'gateway';

export type Stack = {
  readonly graphql: GraphQl;
  readonly pool: pg.Pool;
  readonly temporal: Awaited<ReturnType<typeof temporalClient>>;
  readonly address: string;
  readonly namespace: string;
  readonly processes: Record<ServiceName, Process>;
  start(service: ServiceName): Promise<void>;
  /** A further worker, which the caller stops. */
  startWorker(args?: readonly string[], env?: NodeJS.ProcessEnv): Promise<Process>;
  /** What the processes are started with. */
  readonly env: NodeJS.ProcessEnv;
  stop(): Promise<void>;
};

export type StackOptions = {
  env?: NodeJS.ProcessEnv;
  /** A Temporal server of the test's own; default is the one of the jest run, with a namespace of its own. */
  temporal?: { address: string; namespace: string };
  /** Of the worker; default is every queue. */
  workerArgs?: readonly string[];
};

/** With workflows written by hand it is one of its own. */
async function bundleWith(codeDir: string | undefined, folder: string): Promise<string> {
  if (codeDir === undefined) return testWorkflowBundle().codePath;
  const outFile = join(folder, 'workflows.js');
  await buildWorkflowBundle({ outFile, codeDir }, new DefaultLogger('ERROR'));
  return outFile;
}

/** Worker, projector, API and gateway as processes of their own over a fresh database. */
export async function startStack({ env = {}, temporal, workerArgs = [] }: StackOptions = {}): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-stack-'));
  const [database, namespace, bundle] = await Promise.all([
    createTestDatabase(),
    temporal?.namespace ?? createTestNamespace(),
    bundleWith(env['WEFT_CODE_DIR'], folder),
  ]);
  const address = temporal?.address ?? testTemporal().address;
  const base: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    WEFT_LOG_LEVEL: 'warn',
    PORT: '0',
    GATEWAY_PORT: '0',
    METRICS_PORT: '0',
    ...signInRequired(),
    ...env,
  };
  const processes = {} as Record<ServiceName, Process>;
  const launch: Record<ServiceName, () => Promise<Process>> = {
    worker: () => startProcess('workers/main.ts', ['--bundle', bundle, ...workerArgs], base),
    projector: () => startProcess('workers/projector-main.ts', [], base),
    api: () => startProcess('api/main.ts', [], base),
    gateway: () =>
      startProcess('gateway/main.ts', [], {
        ...base,
        WORKFLOW_API_URL: `http://127.0.0.1:${processes.api.port}/graphql`,
      }),
  };
  const start = async (service: ServiceName) => {
    processes[service] = await launch[service]();
  };
  await Promise.all([start('worker'), start('projector'), start('api').then(() => start('gateway'))]);
  const pool = new pg.Pool({ connectionString: database.url, max: 5 });
  const client = await temporalClient(base, pool);
  return {
    graphql: graphqlClient(() => `http://127.0.0.1:${processes.gateway.port}/graphql`, base['WEFT_TOKEN']),
    pool,
    temporal: client,
    address,
    namespace,
    processes,
    env: base,
    start,
    startWorker: (args = [], changes = {}) =>
      startProcess('workers/main.ts', ['--bundle', bundle, ...args], { ...base, ...changes }),
    stop: async () => {
      await Promise.all(Object.values(processes).map((service) => service.stop()));
      await client.connection.close();
      await pool.end();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function temporalClient(env: NodeJS.ProcessEnv, pool: pg.Pool) {
  const settings = loadSettings(env);
  const connection = await connectTemporal(settings);
  return { connection, client: createTemporalClient(connection, settings, createPayloadStore(pool)) };
}
