import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AppError } from '../../domain/errors.ts';

const run = promisify(execFile);

/** Whether `pid` runs a program whose command line has `mark` in it: pids are used again. A zombie does not count. */
export async function isRunning(pid: number, mark: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return (await commandLine(pid)).includes(mark);
}

/** Sends the signals one after the other until the process is gone; false when it was not there. */
export async function stopStaleProcess(
  pid: number,
  mark: string,
  signals: readonly (readonly [signal: NodeJS.Signals | null, waitMs: number])[],
): Promise<boolean> {
  if (!(await isRunning(pid, mark))) return false;
  for (const [signal, waitMs] of signals) {
    if (signal !== null) signalQuietly(pid, signal);
    const until = performance.now() + waitMs;
    while (performance.now() < until) {
      if (!(await isRunning(pid, mark))) return true;
      await sleep(50);
    }
  }
  throw new AppError('SETUP_INCOMPLETE', {
    detail: `Process ${pid} of an earlier start does not stop; run: kill -9 ${pid}`,
  });
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}

async function commandLine(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
  } catch {
    // Not Linux, or gone.
  }
  try {
    return (await run('ps', ['-p', String(pid), '-o', 'args='])).stdout;
  } catch {
    return '';
  }
}
