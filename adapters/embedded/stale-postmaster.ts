import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stopStaleProcess } from './stale-process.ts';

/**
 * Stops a server that an earlier, killed start left on this very cluster, and removes its pid file: that of a killed one
 * stays, and its number may belong to some other program or to a process that nobody has waited for.
 */
export async function stopStalePostmaster(cluster: string, log: (line: string) => void): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n', 1)[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return;
  const stopped = await stopStaleProcess(pid, cluster, [
    ['SIGINT', 15_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ]);
  if (stopped) log(`stopped Postgres ${pid}, left by an earlier start`);
  await rm(pidFile, { force: true });
}
