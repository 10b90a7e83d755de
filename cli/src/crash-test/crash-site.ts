import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../../adapters/embedded/embedded-postgres.ts';
import { findFreePort } from '../../../adapters/embedded/free-port.ts';
import { spawnGuarded } from '../../../adapters/embedded/guarded-process.ts';
import { migrate } from '../../../adapters/postgres/migrate.ts';
import { environmentWith, loadSettings } from '../../../config/load.ts';
import { connectTemporal } from '../../../temporal/client.ts';
import { startTemporalDevServer } from '../../../temporal/dev-server.ts';
import { findTemporalServer } from '../../../temporal/find-server.ts';
import { ensureSearchAttributes } from '../../../temporal/search-attributes.ts';
import { createGatewayClient, type GatewayClient } from '../gateway-client.ts';
import { startChildService } from '../start/child-service.ts';
import { workflowBundle } from '../start/workflow-bundle.ts';
import { type StubAnswer, type StubServer, startStubServer } from './stub-server.ts';
import type { ProxyHooks } from './temporal-proxy.ts';
import { startWorkerSlot, type WorkerSlot } from './worker-slot.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** A workflow task that a dead worker holds is given out again after this; Temporal's default is 10 s. */
const WORKFLOW_TASK_TIMEOUT = ['--dynamic-config-value', 'history.defaultWorkflowTaskTimeout="2s"'];

export type CrashSite = {
  ask: GatewayClient;
  stub: StubServer;
  /** Last event of a run's history. */
  lastEvent: (runId: string) => Promise<{ id: number; type: string }>;
  startWorker: (hooks: Pick<ProxyHooks, 'beforeReport' | 'afterAnswer'>) => Promise<WorkerSlot>;
  logs: string;
  close: (options: { keepLogs: boolean }) => Promise<void>;
};

/** Postgres, Temporal, projector and API of the test's own, in a folder that goes with them; the workers are started apart. */
export async function openCrashSite(
  answers: Readonly<Record<string, StubAnswer>>,
  tell: (step: string) => void,
): Promise<CrashSite> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-crash-'));
  const logs = join(folder, 'logs');
  mkdirSync(logs);
  const closing: (() => Promise<unknown>)[] = [];
  const close = async ({ keepLogs }: { keepLogs: boolean }) => {
    for (const step of closing.reverse()) await step().catch(() => undefined);
    if (!keepLogs) rmSync(folder, { recursive: true, force: true });
  };
  try {
    tell('starting Postgres and Temporal');
    const settings = loadSettings();
    const taken = new Set<number>();
    const [postgres, temporal, bundle, stub] = await Promise.all([
      startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), port: 0, taken, log: () => undefined }),
      startTemporal(folder, taken),
      workflowBundle(settings.WEFT_DATA_DIR, new AbortController().signal),
      startStubServer(answers),
    ]);
    closing.push(
      () => postgres.stop(),
      () => temporal.stop(),
      () => stub.close(),
    );
    const connection = await connectTemporal({ ...settings, TEMPORAL_ADDRESS: temporal.address });
    closing.push(() => connection.close());
    await Promise.all([migrate(postgres.url), ensureSearchAttributes(connection, 'default')]);
    const env = environmentWith({
      ...{ DATABASE_URL: postgres.url, TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: 'default' },
      ...{ WEFT_DATA_DIR: folder, WEFT_HOST: '127.0.0.1', PORT: '0', METRICS_PORT: '0', WEFT_LOG_LEVEL: 'warn' },
      WEFT_HTTP_ALLOWED_HOSTS: stub.host,
      WEFT_AUTH: 'off',
    });
    const service = (name: string, args: readonly string[]) => ({
      ...{ name, env, log: pino({ level: 'silent' }), logFile: join(logs, `${name}.log`) },
      args: [join(ROOT, args[0] as string), ...args.slice(1)],
    });
    tell('starting the API and the projector');
    const [api, projector] = [
      startChildService({ ...service('api', ['api/main.ts']), onPid: () => undefined }),
      startChildService({ ...service('projector', ['workers/projector-main.ts']), onPid: () => undefined }),
    ];
    closing.push(
      () => api.stop(),
      () => projector.stop(),
    );
    const [port] = await Promise.all([api.ready, projector.ready]);
    return {
      ask: createGatewayClient(`http://127.0.0.1:${port}/graphql`, null),
      stub,
      logs,
      lastEvent: async (runId) => {
        const { history } = await connection.workflowService.getWorkflowExecutionHistoryReverse({
          ...{ namespace: 'default', execution: { workflowId: runId }, maximumPageSize: 1 },
        });
        const event = history?.events?.[0];
        return { id: Number(event?.eventId ?? 0), type: eventTypeName(event) };
      },
      startWorker: (hooks) =>
        startWorkerSlot(temporal.address, hooks, service('worker', ['workers/main.ts', '--bundle', bundle])),
      close,
    };
  } catch (error) {
    await close({ keepLogs: true });
    throw error;
  }
}

/** Such as `ActivityTaskScheduled`, from the name of the field that holds its attributes. */
function eventTypeName(event: object | null | undefined): string {
  const field = Object.entries(event ?? {}).find(([name, value]) => name.endsWith('EventAttributes') && value);
  const name = field?.[0].replace(/EventAttributes$/, '') ?? 'nothing';
  return name.charAt(0).toUpperCase() + name.slice(1);
}

async function startTemporal(folder: string, taken: Set<number>) {
  return startTemporalDevServer({
    binary: await findTemporalServer({
      cacheHome: loadSettings().XDG_CACHE_HOME,
      onProgress: (line) => process.stderr.write(`${line}\n`),
    }),
    dbFile: join(folder, 'temporal.db'),
    port: await findFreePort(0, taken),
    uiPort: await findFreePort(0, taken),
    namespace: 'default',
    log: () => undefined,
    spawn: (command, args, options) => spawnGuarded(command, [...args, ...WORKFLOW_TASK_TIMEOUT], options),
  });
}
