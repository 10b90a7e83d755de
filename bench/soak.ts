import { createServer } from 'node:http';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { setPriority } from 'node:os';
import { promisify } from 'node:util';
import type { AddressInfo } from 'node:net';
import { findFreePort } from '../adapters/embedded/free-port.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { connectTemporal } from '../temporal/client.ts';
import { ensureSearchAttributes } from '../temporal/search-attributes.ts';
import { graphqlClient } from '../tests/e2e/graphql.ts';
import { cpuSeconds } from './process-cpu.ts';
import { type BenchResult, judged } from './report.ts';
import { type BenchServers, startBenchServers } from './servers.ts';
import { type Chaos, startChaos } from './soak/chaos.ts';
import { soakDefinitions } from './soak/definitions.ts';
import { createSoakLoad, type SoakLoad } from './soak/load.ts';
import { soakVerdict, type Verdict } from './soak/verdict.ts';

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 30);
/** Runs started a second. */
const RATE = Number(process.env['SOAK_RATE'] ?? 1);
const KILL_EVERY_MS = Number(process.env['SOAK_KILL_SECONDS'] ?? 25) * 1_000;
const NICE = 10;
const CODE_DIR = join(import.meta.dirname, 'soak-code');

/**
 * Runs of every kind for `SOAK_MINUTES`, while workers, projectors and the API are killed at random; then everything that Temporal
 * has is compared with what is stored.
 */
export async function soak(): Promise<BenchResult[]> {
  setPriority(NICE);
  const servers = await startBenchServers({ temporal: true });
  const outside = await startOutside();
  try {
    return await measure(servers, outside.url);
  } finally {
    outside.close();
    await servers.stop();
  }
}

async function measure({ settings, folder }: BenchServers, outside: string): Promise<BenchResult[]> {
  const pool = createPool(settings.DATABASE_URL, 5);
  const connection = await connectTemporal(settings);
  await ensureSearchAttributes(connection, settings.TEMPORAL_NAMESPACE);
  const apiPort = await findFreePort(0, new Set());
  const env: NodeJS.ProcessEnv = {
    ...{ PATH: process.env['PATH'], HOME: process.env['HOME'], WEFT_LOG_LEVEL: 'error', WEFT_CODE_DIR: CODE_DIR },
    ...{ DATABASE_URL: settings.DATABASE_URL, TEMPORAL_ADDRESS: settings.TEMPORAL_ADDRESS },
    ...{ TEMPORAL_NAMESPACE: settings.TEMPORAL_NAMESPACE, WEFT_HTTP_ALLOWED_HOSTS: new URL(outside).host },
    ...{ METRICS_PORT: '0', PORT: '0', GATEWAY_PORT: '0', WEFT_AUTH: 'off' },
  };
  const bundle = join(folder, 'workflows.js');
  await promisify(execFile)(process.execPath, ['workers/build-bundle.ts', bundle], { env });
  const worker = {
    service: 'worker',
    script: 'workers/main.ts',
    args: ['--bundle', bundle, '--queues', 'runs'],
    env,
  } as const;
  const projector = { service: 'projector', script: 'workers/projector-main.ts', env } as const;
  const api = { service: 'api', script: 'api/main.ts', env: { ...env, PORT: String(apiPort) } } as const;
  const chaos = await startChaos([
    { ...worker, args: [...worker.args] },
    { ...worker, args: [...worker.args] },
    ...[projector, projector, projector, api],
  ]);
  try {
    const url = `http://127.0.0.1:${apiPort}/graphql`;
    const definitions = soakDefinitions(outside);
    for (const definition of definitions) await graphqlClient(() => url).publish(definition);
    const load = createSoakLoad({ url, connection, namespace: settings.TEMPORAL_NAMESPACE, definitions });
    const cpuBefore = cpuSeconds(process.pid);
    const begun = performance.now();
    const end = AbortSignal.timeout(MINUTES * 60_000);
    await Promise.all([load.run(RATE, end), chaos.run(KILL_EVERY_MS, end)]);
    const cores = (cpuSeconds(process.pid) - cpuBefore) / ((performance.now() - begun) / 1_000);
    const verdict = await soakVerdict(pool, connection, settings.TEMPORAL_NAMESPACE, env);
    process.stdout.write(report(load, chaos, verdict, cores));
    return results(chaos, verdict);
  } finally {
    await chaos.stop();
    await connection.close();
    await pool.end();
  }
}

/** A server of the outside world. */
async function startOutside(): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    request.resume();
    response.statusCode = request.url === '/fail' ? 500 : 200;
    response.setHeader('content-type', 'application/json').end('{"done":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function report({ started, again }: SoakLoad, { kills, crashes }: Chaos, verdict: Verdict, cores: number): string {
  const { runs, events, statuses, lagMs, missing, differences, tampered } = verdict;
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const shown = (values: readonly unknown[]) => values.slice(0, 20).map((value) => `  ${JSON.stringify(value)}`);
  return [
    `${MINUTES} minutes at ${RATE} runs started a second, ${cores.toFixed(2)} of a core`,
    `started     ${counts(started)}`,
    `requests    ${again()} sent again`,
    `kills       ${counts(kills)}; ended by themselves ${crashes.length}`,
    ...shown(crashes),
    `runs        ${runs}: ${counts(statuses)}`,
    `events      ${events}`,
    `lag         p50 ${lagMs.p50.toFixed(0)} ms, p95 ${lagMs.p95.toFixed(0)} ms, p99 ${lagMs.p99.toFixed(0)} ms, most ${lagMs.most.toFixed(0)} ms`,
    `missing     ${missing.length}`,
    ...shown(missing),
    `differences ${differences.length}`,
    ...shown(differences),
    `tampered    ${tampered.length}`,
    ...shown(tampered),
    '',
  ].join('\n');
}

function results(chaos: Chaos, verdict: Verdict): BenchResult[] {
  const none = (name: string, value: number, unit: string) =>
    judged({ name, unit, value, baseline: 0, ratio: value, goal: { atMost: 0 } });
  const { runs, events, missing, differences, tampered } = verdict;
  return [
    none(`differences to Temporal over ${events} events of ${runs} runs`, differences.length, 'differences'),
    none('runs of Temporal that are not stored', missing.length, 'runs'),
    none('events that are not as they were appended', tampered.length, 'events'),
    none('processes that ended by themselves', chaos.crashes.length, 'processes'),
  ];
}
