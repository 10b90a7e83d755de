import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Stops a server that an earlier, killed start left on this very cluster, and removes a pid file whose number now belongs to
 * some other program.
 */
export async function stopStalePostmaster(cluster: string, log: (line: string) => void): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n', 1)[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return;
  if (!(await commandLine(pid)).includes(cluster)) {
    await rm(pidFile, { force: true });
    return;
  }
  log(`stopping Postgres ${pid} left by an earlier start`);
  for (const [signal, waitMs] of [
    ['SIGINT', 15_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (await endedAfter(pid, signal, waitMs)) return;
  }
  throw new Error(`Postgres ${pid} still runs on ${cluster} and does not stop; run: kill -9 ${pid}`);
}

async function endedAfter(pid: number, signal: NodeJS.Signals, waitMs: number): Promise<boolean> {
  const until = performance.now() + waitMs;
  try {
    process.kill(pid, signal);
    while (performance.now() < until) {
      await sleep(20);
      process.kill(pid, 0);
    }
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function commandLine(pid: number): Promise<string> {
  try {
    return (await run('ps', ['-p', String(pid), '-o', 'args='])).stdout;
  } catch {
    // Slim images have no ps.
    return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  }
}
