import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { lastProblem } from './line-log.ts';

export type ChildServiceOptions = {
  name: string;
  /** Script and its arguments. */
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /**
   * Takes what it writes, without a pipe through us: a process whose log is a broken pipe would never end.
   */
  logFile: string;
  log: Logger;
  /** Called with each new process, the restarted ones too. */
  onPid: (pid: number) => void;
  /** Called with what it has to say to whoever started it, and to no log. */
  onNotice?: (line: string) => void;
};

export type ChildService = {
  /** The port it says it listens on; rejects when it ends before it is ready for the first time. */
  ready: Promise<number>;
  stop: (graceMs?: number) => Promise<void>;
};

const STABLE_MS = 30_000;
const LONGEST_WAIT_MS = 10_000;

/**
 * A Node process that tells by IPC when it is ready, is started again whenever it dies afterwards, and ends by itself when the
 * channel closes.
 */
export function startChildService(options: ChildServiceOptions): ChildService {
  const { log, name } = options;
  const first = Promise.withResolvers<number>();
  const stopping = new AbortController();
  let current: { child: ChildProcess; exited: Promise<string> } | null = null;

  async function keepRunning(): Promise<void> {
    let wasReady = false;
    for (let failures = 0; !stopping.signal.aborted;) {
      const startedAt = performance.now();
      const logStart = statSync(options.logFile, { throwIfNoEntry: false })?.size ?? 0;
      current = launch(options, (port) => {
        wasReady = true;
        first.resolve(port);
      });
      const ending = await current.exited;
      current = null;
      if (stopping.signal.aborted) return;
      if (!wasReady) {
        const said = readFileSync(options.logFile).subarray(logStart).toString('utf8').split('\n');
        first.reject(new Error(`${name} did not start: ${lastProblem(said)} (${options.logFile})`));
        return;
      }
      failures = performance.now() - startedAt > STABLE_MS ? 1 : failures + 1;
      const waitMs = Math.min(LONGEST_WAIT_MS, 250 * 2 ** (failures - 1));
      log.error({ service: name, ending, waitMs }, 'a service died and will be started again');
      await sleep(waitMs, null, { signal: stopping.signal }).catch(() => null);
    }
  }

  const done = keepRunning();
  first.promise.catch(() => undefined);
  return {
    ready: first.promise,
    async stop(graceMs = 15_000) {
      stopping.abort();
      const running = current;
      if (running) {
        running.child.kill(graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
        const timer = setTimeout(() => running.child.kill('SIGKILL'), graceMs);
        await running.exited;
        clearTimeout(timer);
      }
      first.reject(new Error(`${name} was stopped before it was ready`));
      await done;
    },
  };
}

function launch(
  { args, env, logFile, onPid, onNotice, log, name }: ChildServiceOptions,
  onReady: (port: number) => void,
): { child: ChildProcess; exited: Promise<string> } {
  // A process group of its own: the terminal's Ctrl-C must not reach it, the order of stopping is ours.
  const output = openSync(logFile, 'a');
  const child = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', output, output, 'ipc'] });
  closeSync(output);
  if (child.pid !== undefined) onPid(child.pid);
  child.on('message', (message: { ready?: boolean; port?: number; notice?: string }) => {
    if (message.notice !== undefined) onNotice?.(message.notice);
    if (message.ready !== true) return;
    log.info({ service: name, pid: child.pid, port: message.port }, 'a service is ready');
    onReady(message.port ?? 0);
  });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  return { child, exited };
}
