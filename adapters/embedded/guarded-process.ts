import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export type GuardedOptions = {
  /**
   * Asks the program to stop; sent too when this process dies, however it dies. SIGINT suits only programs that handle it
   * themselves: shells start background programs with SIGINT ignored.
   */
  stopSignal: 'SIGINT' | 'SIGTERM' | 'SIGUSR1';
  onLine: (line: string) => void;
  cwd?: string;
  uid?: number;
  gid?: number;
  env?: NodeJS.ProcessEnv;
};

export type GuardedProcess = {
  readonly pid: number;
  /** Settles once, when the program has ended. */
  readonly exited: Promise<{ code: number | null }>;
  readonly stop: (graceMs?: number) => Promise<void>;
};

/**
 * The shell waits for the program, and a sub-shell reads a pipe that only this process can write to. The pipe ends when this
 * process ends, also by SIGKILL: programs that know nothing of us are then asked to stop all the same.
 */
const GUARD = `
signal=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- & program=$!
( while read -r line; do :; done; kill -s "$signal" $program ) <&3 & watcher=$!
exec 3<&-
wait $program; code=$?
kill $watcher 2>/dev/null
exit $code`;

/** Runs a program in a session of its own, out of reach of the terminal's Ctrl-C, so that it can be stopped in order. */
export function spawnGuarded(command: string, args: readonly string[], options: GuardedOptions): GuardedProcess {
  const { stopSignal, onLine, ...rest } = options;
  const shell = spawn('/bin/sh', ['-c', GUARD, 'guard', stopSignal.slice(3), command, ...args], {
    ...rest,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  shell.stdin.on('error', () => undefined);
  for (const stream of [shell.stdout, shell.stderr]) createInterface({ input: stream }).on('line', onLine);
  const exited = new Promise<{ code: number | null }>((resolve) => {
    shell.once('error', (error) => {
      onLine(String(error));
      resolve({ code: 127 });
    });
    shell.once('close', (code) => resolve({ code }));
  });
  return { pid: shell.pid ?? -1, exited, stop: (graceMs = 20_000) => stopGuarded(shell, exited, graceMs) };
}

async function stopGuarded(shell: ChildProcess, exited: Promise<unknown>, graceMs: number): Promise<void> {
  shell.stdin?.end();
  const timer = setTimeout(() => {
    if (shell.pid === undefined || shell.exitCode !== null) return;
    try {
      process.kill(-shell.pid, 'SIGKILL');
    } catch {
      // The group ended between the two lines.
    }
  }, graceMs);
  await exited;
  clearTimeout(timer);
}
