import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { spawnGuarded } from './guarded-process.ts';

const quiet = { stopSignal: 'SIGTERM', onLine: () => undefined } as const;
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('spawnGuarded', () => {
  it('passes lines and the exit code on', async () => {
    const lines: string[] = [];
    const program = spawnGuarded('/bin/sh', ['-c', 'echo one; echo two >&2; exit 7'], {
      ...quiet,
      onLine: (line) => lines.push(line),
    });
    expect(await program.exited).toEqual({ code: 7 });
    expect(lines.sort()).toEqual(['one', 'two']);
  });

  it('says which program it could not run', async () => {
    const lines: string[] = [];
    const program = spawnGuarded('/no/such/program', [], { ...quiet, onLine: (line) => lines.push(line) });
    expect(await program.exited).toEqual({ code: 127 });
    expect(lines.join()).toContain('/no/such/program');
  });

  it('asks the program to stop with the chosen signal', async () => {
    const lines: string[] = [];
    const script = 'trap "echo stopping; exit 0" USR1; echo up; while :; do sleep 0.05; done';
    const up = Promise.withResolvers<void>();
    const program = spawnGuarded('/bin/bash', ['-c', script], {
      stopSignal: 'SIGUSR1',
      onLine: (line) => {
        lines.push(line);
        up.resolve();
      },
    });
    await up.promise;
    await program.stop();
    expect(lines).toEqual(['up', 'stopping']);
  });

  it('kills a program that does not stop in time', async () => {
    const up = Promise.withResolvers<void>();
    const program = spawnGuarded('/bin/sh', ['-c', 'trap "" TERM; echo up; while :; do sleep 0.05; done'], {
      ...quiet,
      onLine: () => up.resolve(),
    });
    await up.promise;
    await program.stop(100);
    expect(await program.exited).toEqual({ code: null });
  });

  it('ends the program when its starter is killed', async () => {
    const module = new URL('guarded-process.ts', import.meta.url).href;
    const code = `import { spawnGuarded } from ${JSON.stringify(module)};
      spawnGuarded('/bin/sh', ['-c', 'echo $$; exec sleep 1000'], { stopSignal: 'SIGTERM', onLine: console.log });`;
    const starter = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const [line] = (await once(createInterface({ input: starter.stdout }), 'line')) as [string];
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    starter.kill('SIGKILL');
    for (let tries = 0; tries < 200 && isAlive(pid); tries += 1) await sleep(50);
    expect(isAlive(pid)).toBe(false);
  });
});
