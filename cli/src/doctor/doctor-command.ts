import { resolve } from 'node:path';
import { isRunning } from '../../../adapters/embedded/stale-process.ts';
import { loadSettings } from '../../../config/load.ts';
import { readRunFile, type RunFile } from '../run-file.ts';
import { type Check, describeCheck } from './check.ts';
import { checkDisk, checkFreePorts, checkNode } from './check-machine.ts';
import { checkDoor, checkPostgres, checkTemporal, notRunning } from './check-servers.ts';

/** `weft doctor`: one line a check. Gives the exit code. */
export async function runDoctor({ json }: { json?: boolean }): Promise<number> {
  const checks = await runChecks();
  const healthy = checks.every(({ level }) => level !== 'FAIL');
  process.stdout.write(json ? `${JSON.stringify({ healthy, checks })}\n` : `${checks.map(describeCheck).join('\n')}\n`);
  return healthy ? 0 : 1;
}

async function runChecks(): Promise<Check[]> {
  const settings = loadSettings();
  const dataDir = resolve(settings.WEFT_DATA_DIR);
  const running = await runningInstance(dataDir);
  const databaseUrl = running?.databaseUrl ?? settings.DATABASE_URL;
  const address = running?.temporalAddress ?? settings.TEMPORAL_ADDRESS;
  const namespace = running?.namespace ?? settings.TEMPORAL_NAMESPACE;
  const [disk, postgres, temporal, services] = await Promise.all([
    checkDisk(dataDir),
    databaseUrl ? checkPostgres(databaseUrl) : Promise.resolve([notRunning('Postgres')]),
    address ? checkTemporal(settings, address, namespace) : Promise.resolve([notRunning('Temporal')]),
    running ? checkDoors(running) : checkFreePorts(settings).then((check) => [check, notRunning('Services')]),
  ]);
  return [checkNode(), disk, ...postgres, ...temporal, ...services];
}

async function checkDoors({ graphqlUrl, apiUrl, metricsUrls }: Partial<RunFile>): Promise<Check[]> {
  const doors: [string, string | undefined][] = [
    ['Gateway', graphqlUrl && new URL('/readyz', graphqlUrl).href],
    ['API', apiUrl && new URL('/readyz', apiUrl).href],
    ['Workers', metricsUrls?.['workers']],
    ['Projector', metricsUrls?.['projector']],
  ];
  return Promise.all(doors.flatMap(([name, url]) => (url ? [checkDoor(name, url)] : [])));
}

async function runningInstance(dataDir: string): Promise<Partial<RunFile> | null> {
  const file = readRunFile(dataDir);
  if (file?.pid === undefined || file.graphqlUrl === undefined) return null;
  return (await isRunning(file.pid, 'main.ts start')) ? file : null;
}
