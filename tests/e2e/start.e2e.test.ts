import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const TIMEOUT_MS = 180_000;

const ROOT = join(import.meta.dirname, '../..');
const ANY_PORT = [
  'PORT',
  'GATEWAY_PORT',
  'METRICS_PORT',
  'WEFT_POSTGRES_PORT',
  'WEFT_TEMPORAL_PORT',
  'WEFT_TEMPORAL_UI_PORT',
];

type RunFile = { pid: number; graphqlUrl?: string; pids: Record<string, number> };
type Started = { child: ChildProcess; exited: Promise<{ code: number | null; stdout: string; stderr: string }> };

let dataDir = '';
let started: Started[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'weft-start-'));
  started = [];
});
afterEach(async () => {
  for (const { child, exited } of started) {
    child.kill('SIGTERM');
    await exited;
  }
  await rm(dataDir, { recursive: true, force: true });
});

function weft(args: readonly string[], changes: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, ['cli/bootstrap.mjs', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      npm_lifecycle_event: undefined,
      WEFT_DATA_DIR: dataDir,
      ...Object.fromEntries(ANY_PORT.map((name) => [name, '0'])),
      ...changes,
    },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)));
  const exited = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
  const result = { child, exited };
  started.push(result);
  return result;
}

function readRunFile(): RunFile | null {
  const file = join(dataDir, 'run.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RunFile) : null;
}

async function untilUp(): Promise<RunFile> {
  for (let tries = 0; tries < 1200; tries += 1) {
    const file = readRunFile();
    if (file?.graphqlUrl !== undefined) return file;
    await sleep(100);
  }
  throw new Error('not up in time');
}

async function untilLogged(text: string): Promise<void> {
  while (!readFileSync(join(dataDir, 'logs/start.log'), 'utf8').includes(text)) await sleep(100);
}

/** Processes of the start under test: those it named, and the servers, which carry the data folder in their arguments. */
function leftProcesses(pids: readonly number[]): string[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => {
    const [pid = '', stat = ''] = line.trim().split(/\s+/);
    return !stat.startsWith('Z') && (pids.includes(Number(pid)) || line.includes(dataDir));
  });
}

async function untilNoProcessIsLeft(pids: readonly number[]): Promise<string[]> {
  for (let tries = 0; tries < 150 && leftProcesses(pids).length > 0; tries += 1) await sleep(200);
  return leftProcesses(pids);
}

describe('weft start', () => {
  it(
    'prints one JSON line about the completed run, and the same again over the kept data',
    async () => {
      for (const expectedRuns of [1, 2]) {
        const { code, stdout, stderr } = await weft(['start', '--once', '--json']).exited;
        expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('brief') });
        // The password is shown when there is nobody yet, and never again.
        expect(/First admin: admin\n +Password: +\S{12,}/.test(stderr)).toBe(expectedRuns === 1);
        expect(stdout.trimEnd().split('\n')).toHaveLength(1);
        const line = JSON.parse(stdout) as Record<string, unknown>;
        expect(Object.keys(line)).toEqual([
          'runId',
          'workflowId',
          'status',
          'output',
          'nodes',
          'events',
          'temporalUrl',
          'durationMs',
        ]);
        expect(line).toMatchObject({
          workflowId: 'research-brief',
          status: 'COMPLETED',
          output: { brief: expect.stringContaining('# Light and matter: the last queries of the Opticks') },
          temporalUrl: expect.stringContaining(String(line['runId'])),
        });
        expect(line['events']).toBeGreaterThan(10);
        const started = readFileSync(join(dataDir, 'logs/start.log'), 'utf8').match(/sample run started/g);
        expect(started).toHaveLength(expectedRuns);
        expect(await untilNoProcessIsLeft([])).toEqual([]);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'refuses to start twice over one data folder, and stops everything on Ctrl-C',
    async () => {
      const first = weft(['start']);
      const { pid, pids } = await untilUp();
      const second = await weft(['start']).exited;
      expect(second).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining(`already runs here as process ${pid}`),
      });
      const signedIn = await weft(['whoami', '--json']).exited;
      expect(JSON.parse(signedIn.stdout)).toMatchObject({ name: 'operator', roles: ['admin'] });
      const asNobody = await weft(['run', 'list'], { WEFT_TOKEN: 'x'.repeat(40) }).exited;
      expect(asNobody).toMatchObject({ code: 1, stderr: expect.stringContaining('UNAUTHENTICATED') });
      const healthy = await weft(['doctor', '--json']).exited;
      expect(JSON.parse(healthy.stdout)).toMatchObject({ healthy: true });
      await untilLogged('"phase":"sample run"');
      first.child.kill('SIGINT');
      expect((await first.exited).code).toBe(0);
      expect(leftProcesses([pid, ...Object.values(pids)])).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'leaves no process when it is killed',
    async () => {
      weft(['start']);
      const { pid, pids } = await untilUp();
      process.kill(pid, 'SIGKILL');
      expect(await untilNoProcessIsLeft([pid, ...Object.values(pids)])).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'says what is wrong in one place and prints nothing on stdout',
    async () => {
      const { code, stdout, stderr } = await weft(['start', '--once', '--json'], { PORT: 'abc', TEMPORAL_TLS: 'maybe' })
        .exited;
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('PORT: must be a whole number');
      expect(stderr).toContain('TEMPORAL_TLS: must be true or false');
      const unreachable = await weft(['start', '--once'], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' })
        .exited;
      expect(unreachable).toMatchObject({ code: 1, stdout: '' });
      expect(unreachable.stderr).toContain('Postgres cannot be reached');
      expect(await untilNoProcessIsLeft([])).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
