import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { findFreePort } from '../../../adapters/embedded/free-port.ts';
import { environmentWith } from '../../../config/load.ts';
import { ARCHIVE_FOLDER } from './archive-folder.ts';
import { startPostgres, startTemporal } from './backing-servers.ts';
import { startChildService } from './child-service.ts';
import type { RunFile } from '../run-file.ts';
import type { PartName } from './running-parts.ts';
import { secretKeys } from './secret-key.ts';
import type { StartContext } from './start-context.ts';
import { bundleFile, workflowBundle } from './workflow-bundle.ts';

export type RunningServices = Omit<RunFile, 'pid' | 'startedAt' | 'pids'>;

const ROOT = join(import.meta.dirname, '../../..');

/** Brings up everything, side by side where nothing has to wait for another. */
export async function startServices(
  context: StartContext,
  onPid: (name: string, pid: number) => void,
): Promise<RunningServices> {
  const { settings } = context;
  const host = settings.WEFT_HOST;
  const ports = await choosePorts(context);
  const apiUrl = `http://${host}:${ports.api}/graphql`;
  const codec = settings.WEFT_CODEC ?? 'loopback';

  const start = (name: PartName, args: readonly string[], environment: Record<string, string>) =>
    awaitedLater(
      context.phase(name, async () => {
        context.parts.stopping.throwIfAborted();
        const [script = '', ...rest] = args;
        const service = startChildService({
          name,
          args: [join(ROOT, script), ...rest],
          env: environmentWith({ WEFT_DATA_DIR: context.dataDir, ...environment }),
          logFile: context.logFile(name),
          log: context.log,
          onPid: (pid) => onPid(name, pid),
          onNotice: context.tell,
        });
        context.parts.add(name, service);
        return service.ready;
      }),
    );

  const secrets = secretKeys(settings, context.dataDir);
  const operatorToken = settings.WEFT_OPERATOR_TOKEN ?? randomBytes(32).toString('hex');
  const bundle = awaitedLater(context.phase('bundle', () => workflowBundle(context.dataDir, context.parts.stopping)));
  const [postgres, temporal, bundleAt] = await Promise.all([
    awaitedLater(startPostgres(context)),
    awaitedLater(startTemporal(context, codec === 'off' ? null : `http://${reachableHost(host)}:${ports.api}/codec`)),
    bundleFile(context.dataDir),
  ]);
  const environment = {
    DATABASE_URL: postgres.databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_UI_URL: temporal.uiUrl,
    WEFT_SECRET_KEY: secrets,
    WEFT_ARCHIVE_FOLDER: settings.WEFT_ARCHIVE_FOLDER ?? join(context.dataDir, ARCHIVE_FOLDER),
    // Also for those who make links to the API without being it.
    PORT: String(ports.api),
  };
  const workers = awaitedLater(
    bundle.then((file) =>
      start('workers', ['workers/main.ts', '--bundle', file], { ...environment, ...metricsAt(ports.workerMetrics) }),
    ),
  );
  const projector = start('projector', ['workers/projector-main.ts'], {
    ...environment,
    ...metricsAt(ports.projectorMetrics),
  });
  const api = start('api', ['api/main.ts'], {
    ...environment,
    WEFT_WORKFLOW_BUNDLE: bundleAt,
    PORT: String(ports.api),
    WEFT_CODEC: codec,
    WEFT_OPERATOR_TOKEN: operatorToken,
  });
  const gateway = start('gateway', ['gateway/main.ts'], {
    DATABASE_URL: postgres.databaseUrl,
    GATEWAY_PORT: String(ports.gateway),
    WORKFLOW_API_URL: apiUrl,
    WEFT_SECRET_KEY: secrets,
  });
  await Promise.all([workers, projector, api, gateway]);
  return {
    databaseUrl: postgres.databaseUrl,
    temporalAddress: temporal.address,
    temporalUiUrl: temporal.uiUrl,
    namespace: settings.TEMPORAL_NAMESPACE,
    graphqlUrl: `http://${host}:${ports.gateway}/graphql`,
    apiUrl,
    operatorToken,
    metricsUrls: metricsUrlsOf(host, ports),
  };
}

const metricsAt = (port: number) => ({ METRICS_PORT: String(port) });

type Ports = Readonly<Record<'api' | 'gateway' | 'workerMetrics' | 'projectorMetrics', number>>;

async function choosePorts({ settings, takenPorts: taken, portChosen }: StartContext): Promise<Ports> {
  const choose = async (what: string, wanted: number): Promise<number> => {
    const port = await findFreePort(wanted, taken, settings.WEFT_HOST);
    portChosen(what, wanted, port);
    return port;
  };
  const api = await choose('the API', settings.PORT);
  const gateway = await choose('the gateway', settings.GATEWAY_PORT);
  const workerMetrics = await choose('worker metrics', settings.METRICS_PORT);
  const projectorMetrics = await choose('projector metrics', settings.METRICS_PORT);
  return { api, gateway, workerMetrics, projectorMetrics };
}

function metricsUrlsOf(host: string, ports: Ports): RunningServices['metricsUrls'] {
  const at = (port: number) => `http://${host}:${port}/metrics`;
  return {
    gateway: at(ports.gateway),
    api: at(ports.api),
    workers: at(ports.workerMetrics),
    projector: at(ports.projectorMetrics),
  };
}

/** A browser on this machine cannot go to the address that stands for all. */
function reachableHost(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}

/** Keeps a failure from being reported as unhandled before somebody awaits the step. */
function awaitedLater<Result>(step: Promise<Result>): Promise<Result> {
  step.catch(() => undefined);
  return step;
}
