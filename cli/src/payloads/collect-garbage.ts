import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { environmentWith } from '../../../config/load.ts';
import { findServers } from '../worker/find-servers.ts';

const SCRIPT = join(import.meta.dirname, '../../../workers/collect-payloads.ts');
const run = promisify(execFile);

type Result = {
  busy?: boolean;
  payloads: number;
  referenced: number;
  unreferenced: number;
  deleted: number;
  deletedBytes: number;
  strayObjects: number;
};

export async function collectGarbage({ dryRun, json }: { dryRun?: boolean; json?: boolean }): Promise<number> {
  const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } = await findServers();
  const { stdout } = await run(process.execPath, [SCRIPT, ...(dryRun ? ['--dry-run'] : [])], {
    env: environmentWith({ DATABASE_URL: DATABASE_URL ?? '', TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE }),
  });
  process.stdout.write(json ? stdout : `${describe(JSON.parse(stdout) as Result, dryRun === true)}\n`);
  return 0;
}

function describe(result: Result, dryRun: boolean): string {
  if (result.busy) return 'Another process is collecting at this moment.';
  const { payloads, referenced, unreferenced, deleted, deletedBytes, strayObjects } = result;
  const outcome = dryRun ? 'would be deleted' : 'deleted';
  const strays = strayObjects > 0 ? `; ${strayObjects} objects of the bucket that no row knew` : '';
  return `${payloads} payloads: ${referenced} in use, ${unreferenced} unused or too young to tell; ${deleted} ${outcome} (${deletedBytes} bytes)${strays}`;
}
