import { type ChildProcess, fork } from 'node:child_process';

export type Process = {
  readonly pid: number;
  readonly port: number;
  /** SIGKILL: nothing gets to tidy up. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
};

/** Starts one of the product's processes for real and waits until it says that it is ready. */
export async function startProcess(script: string, args: string[], env: NodeJS.ProcessEnv): Promise<Process> {
  const child = fork(script, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output.push(chunk.toString());
      if (output.length > 50) output.shift();
    });
  }
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  );
  const port = await ready(child, script, output);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
  };
  return {
    pid: child.pid ?? -1,
    port,
    ended,
    signal: (name) => void child.kill(name),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
}

function ready(child: ChildProcess, script: string, output: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${script} ${why}:\n${output.join('')}`));
    const timer = setTimeout(() => {
      // Nobody would know of it any more.
      child.kill('SIGKILL');
      fail('was not ready within 60 s');
    }, 60_000);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`ended with ${code ?? signal}`);
    });
    child.on('message', (message: { ready?: boolean; port?: number }) => {
      if (!message.ready) return;
      clearTimeout(timer);
      child.removeAllListeners('exit');
      resolve(message.port ?? 0);
    });
  });
}
