import { join } from 'node:path';
import { stopStaleProcess } from '../../../adapters/embedded/stale-process.ts';
import { readRunFile } from '../run-file.ts';
import type { StartContext } from './start-context.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** After a start that was killed its services end by themselves; this waits for them, so that ports and files are free. */
export async function stopEarlierProcesses(context: StartContext): Promise<void> {
  for (const [name, pid] of Object.entries(readRunFile(context.dataDir)?.pids ?? {})) {
    const found = await stopStaleProcess(pid, ROOT, [
      [null, 5_000],
      ['SIGTERM', 5_000],
      ['SIGKILL', 5_000],
    ]);
    if (found) context.log.warn({ service: name, pid }, 'waited for a service of an earlier start');
  }
}
