import { loadSettings } from '../../../config/load.ts';
import { createGatewayClient, type GatewayClient } from '../gateway-client.ts';
import { removeRunFile, type RunFile, writeRunFile } from '../run-file.ts';
import { createWarningTeller } from '../run-warnings.ts';
import { describeAddresses, describeRun, type RunSummary } from './describe-start.ts';
import {
  countEvents,
  followRun,
  nodeDurationMs,
  publishSamples,
  runDurationMs,
  type SampleRun,
  startSampleRun,
} from './sample-run.ts';
import { showProgress } from './show-progress.ts';
import { stopEarlierProcesses } from './stop-earlier-processes.ts';
import { createStartContext, type StartContext } from './start-context.ts';
import { takeStartLock } from './start-lock.ts';
import { type RunningServices, startServices } from './start-services.ts';
import { untilStopped } from './until-stopped.ts';

export type StartOptions = { once?: boolean; json?: boolean };

/** `weft start`: everything up, one real run shown, and then it stays. Gives the exit code. */
export async function runStart(options: StartOptions): Promise<number> {
  const settings = loadSettings();
  const partLost = Promise.withResolvers<never>();
  partLost.promise.catch(() => undefined);
  const context = createStartContext({
    settings,
    tell: (line) => void process.stderr.write(`${line}\n`),
    onPartLost: (what) => partLost.reject(new Error(`${what} ended by itself; see ${context.dataDir}/logs`)),
  });
  const releaseLock = await takeStartLock(context.dataDir);
  const stopped = untilStopped(context.parts);
  try {
    await stopEarlierProcesses(context);
    const work = startAndShow(context, options);
    work.catch(() => undefined);
    await Promise.race([work, partLost.promise, stopped.first]);
    if (stopped.asked()) return stopped.exitCode();
    if (!options.once) await Promise.race([partLost.promise, stopped.first]);
    return 0;
  } catch (error) {
    context.log.error({ err: error }, 'start failed');
    if (stopped.asked()) return stopped.exitCode();
    throw error;
  } finally {
    await context.parts.stop();
    removeRunFile(context.dataDir);
    releaseLock();
    stopped.ignore();
  }
}

async function startAndShow(context: StartContext, options: StartOptions): Promise<void> {
  const began = performance.now();
  const file: Partial<RunFile> = { pid: process.pid, startedAt: new Date().toISOString(), pids: {} };
  const services = await startServices(context, (name, pid) => {
    file.pids = { ...file.pids, [name]: pid };
    writeRunFile(context.dataDir, file);
  });
  Object.assign(file, services);
  writeRunFile(context.dataDir, file);
  const readyMs = performance.now() - began;
  context.log.info({ phase: 'ready', ms: Math.round(readyMs) }, 'phase ended');
  const summary = await context.phase('sample run', () =>
    runSample(context, createGatewayClient(services.graphqlUrl, services.operatorToken), options),
  );
  print(context, options, services, summary, readyMs);
}

async function runSample(context: StartContext, gateway: GatewayClient, options: StartOptions): Promise<RunSummary> {
  await context.phase('publish samples', () => publishSamples(gateway));
  const runId = await startSampleRun(gateway);
  context.log.info({ runId }, 'sample run started');
  const progress = showProgress(options.json ? process.stderr : process.stdout);
  try {
    const tellWarnings = createWarningTeller(context.tell);
    const onState = (state: SampleRun) => {
      tellWarnings(state.warnings);
      progress.update(state);
    };
    const run = await followRun(gateway, runId, onState, context.parts.stopping);
    await progress.finish();
    if (run.status !== 'COMPLETED') {
      const { error } = run;
      throw Object.assign(
        new Error(
          `Run ${runId} ended ${run.status}: ${error?.message ?? 'no error was recorded'} (${run.temporalUrl})`,
        ),
        { code: error?.code, hint: error?.hint },
      );
    }
    return { run, events: await countEvents(gateway, runId), durationMs: runDurationMs(run) };
  } finally {
    await progress.finish();
  }
}

function print(
  { settings, dataDir }: StartContext,
  options: StartOptions,
  services: RunningServices,
  summary: RunSummary,
  readyMs: number,
): void {
  const { run, events, durationMs } = summary;
  if (!options.json) {
    process.stdout.write(describeRun(summary, readyMs) + describeAddresses(settings, dataDir, services, run));
    return;
  }
  const { id: runId, status, output, temporalUrl } = run;
  const nodes = run.nodes.map((node) => ({ ...node, durationMs: nodeDurationMs(node) }));
  process.stdout.write(
    `${JSON.stringify({ runId, workflowId: 'research-brief', status, output, nodes, events, temporalUrl, durationMs })}\n`,
  );
}
