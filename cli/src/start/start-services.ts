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
  const { settings, takenPorts: taken } = context;
  const host = settings.WEFT_HOST;
  const apiPort = await findFreePort(settings.PORT, taken, host);
  const gatewayPort = await findFreePort(settings.GATEWAY_PORT, taken, host);
  const workerMetricsPort = await findFreePort(settings.METRICS_PORT, taken, host);
  const projectorMetricsPort = await findFreePort(settings.METRICS_PORT, taken, host);
  context.portChosen('the API', settings.PORT, apiPort);
  context.portChosen('the gateway', settings.GATEWAY_PORT, gatewayPort);
  context.portChosen('worker metrics', settings.METRICS_PORT, workerMetricsPort);
  const apiUrl = `http://${host}:${apiPort}/graphql`;
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
  const gateway = start('gateway', ['gateway/main.ts'], {
    GATEWAY_PORT: String(gatewayPort),
    WORKFLOW_API_URL: apiUrl,
    WEFT_SECRET_KEY: secrets,
  });
  const bundle = awaitedLater(context.phase('bundle', () => workflowBundle(context.dataDir, context.parts.stopping)));
  const [postgres, temporal, bundleAt] = await Promise.all([
    awaitedLater(startPostgres(context)),
    awaitedLater(startTemporal(context, codec === 'off' ? null : `http://${reachableHost(host)}:${apiPort}/codec`)),
    bundleFile(context.dataDir),
  ]);
  const environment = {
    DATABASE_URL: postgres.databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_UI_URL: temporal.uiUrl,
    WEFT_SECRET_KEY: secrets,
    WEFT_ARCHIVE_FOLDER: settings.WEFT_ARCHIVE_FOLDER ?? join(context.dataDir, ARCHIVE_FOLDER),
    // Also for those who make links to the API without being it.
    PORT: String(apiPort),
  };
  const workers = awaitedLater(
    bundle.then((file) =>
      start('workers', ['workers/main.ts', '--bundle', file], {
        ...environment,
        METRICS_PORT: String(workerMetricsPort),
      }),
    ),
  );
  const projector = start('projector', ['workers/projector-main.ts'], {
    ...environment,
    METRICS_PORT: String(projectorMetricsPort),
  });
  const api = start('api', ['api/main.ts'], {
    ...environment,
    WEFT_WORKFLOW_BUNDLE: bundleAt,
    PORT: String(apiPort),
    WEFT_CODEC: codec,
    WEFT_OPERATOR_TOKEN: operatorToken,
  });
  await Promise.all([workers, projector, api, gateway]);
  return {
    databaseUrl: postgres.databaseUrl,
    temporalAddress: temporal.address,
    temporalUiUrl: temporal.uiUrl,
    namespace: settings.TEMPORAL_NAMESPACE,
    graphqlUrl: `http://${host}:${gatewayPort}/graphql`,
    apiUrl,
    operatorToken,
    metricsUrls: {
      gateway: `http://${host}:${gatewayPort}/metrics`,
      api: `http://${host}:${apiPort}/metrics`,
      workers: `http://${host}:${workerMetricsPort}/metrics`,
      projector: `http://${host}:${projectorMetricsPort}/metrics`,
    },
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
