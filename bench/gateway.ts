import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual, promisify } from 'node:util';
import { Pool } from 'undici';
import { findFreePort } from '../adapters/embedded/free-port.ts';
import { loadSettings } from '../config/load.ts';
import { LARGE_QUERY, SMALL_QUERY } from './gateway/queries.ts';
import type { Usage } from './gateway/report-usage.ts';
import { benchSupergraph } from './gateway/supergraph.ts';
import { type BenchResult, compared } from './report.ts';

const FOLDER = join(import.meta.dirname, 'gateway');
const HIVE = resolve(loadSettings().WEFT_DATA_DIR, 'bench-peers/hive');
const HIVE_PACKAGE = '@graphql-hive/gateway@2.15.1';
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 10);
const CLIENTS = Number(process.env['BENCH_CLIENTS'] ?? 50);
const QUERIES = { large: LARGE_QUERY, small: SMALL_QUERY };

type QueryName = keyof typeof QUERIES;
type Measured = { requestsPerSecond: number; cpuMs: number; bytes: number; answer: unknown };
type Contestant = Record<QueryName, Measured>;
type Running = { child: ChildProcess; port: number };

/** Our gateway as it is served, the stock one as its documentation starts it, and Hive Gateway, over the same four subgraphs. */
export async function gateway(): Promise<BenchResult[]> {
  const subgraphs = await start('subgraphs-process.ts', {});
  try {
    const supergraph = benchSupergraph(subgraphs.port);
    const stock = await measured('stock-process.ts', supergraph, {});
    const own = await measured('own-process.ts', supergraph, { WEFT_GATEWAY_SHARE_FETCHES: 'false' });
    const sharing = await measured('own-process.ts', supergraph, { WEFT_GATEWAY_SHARE_FETCHES: 'true' });
    const hive = await measuredHive(supergraph);
    return [
      ...against('large', 0.45, own, stock),
      ...against('small', 0.35, own, stock),
      ...(hive === null
        ? []
        : [...against('large', 1, own, hive, ', beside Hive'), ...against('small', 1, own, hive, ', beside Hive')]),
      ...against('large', 0.45, sharing, stock, ', equal fetches shared'),
    ];
  } finally {
    subgraphs.child.disconnect();
  }
}

function against(query: QueryName, goal: number, own: Contestant, stock: Contestant, note = ''): BenchResult[] {
  const [ours, theirs] = [own[query], stock[query]];
  if (!isDeepStrictEqual(ours.answer, theirs.answer)) throw new Error(`The answers to the ${query} query differ`);
  const name = `${query} query (${theirs.bytes} bytes)${note}`;
  const rate = { value: ours.requestsPerSecond, baseline: theirs.requestsPerSecond };
  return [
    compared({
      name: `${name}: CPU of a request`,
      unit: 'ms',
      value: ours.cpuMs,
      baseline: theirs.cpuMs,
      goal: { atMost: goal },
    }),
    compared({ name: `${name}: requests`, unit: '/s', ...rate, goal: { atLeast: 1 } }),
  ];
}

async function measured(file: string, supergraph: string, env: Record<string, string>): Promise<Contestant> {
  const running = await start(file, { ...env, BENCH_SUPERGRAPH: supergraph });
  try {
    return { large: await load(running, QUERIES.large), small: await load(running, QUERIES.small) };
  } finally {
    running.child.disconnect();
  }
}

/** Null where npm does not install it. */
async function measuredHive(supergraph: string): Promise<Contestant | null> {
  try {
    const running = await startHive(supergraph);
    try {
      return { large: await load(running, QUERIES.large), small: await load(running, QUERIES.small) };
    } finally {
      running.child.kill();
    }
  } catch (error) {
    process.stderr.write(`Hive Gateway cannot be compared: ${(error as Error).message}\n`);
    return null;
  }
}

async function startHive(supergraph: string): Promise<Running> {
  mkdirSync(HIVE, { recursive: true });
  if (!existsSync(join(HIVE, 'node_modules'))) {
    writeFileSync(join(HIVE, 'package.json'), '{"private":true}');
    process.stderr.write(`npm install ${HIVE_PACKAGE} in ${HIVE}\n`);
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
    await promisify(execFile)('npm', ['install', HIVE_PACKAGE, ...options], { cwd: HIVE, timeout: 900_000 });
  }
  writeFileSync(join(HIVE, 'supergraph.graphql'), supergraph);
  const port = await findFreePort(0, new Set());
  const child = fork(
    join(HIVE, 'node_modules/@graphql-hive/gateway/dist/bin.js'),
    ['supergraph', 'supergraph.graphql', '--port', String(port), '--host', '127.0.0.1', '--fork', '1'],
    {
      cwd: HIVE,
      env: { ...process.env, NODE_ENV: 'production', BENCH_PORT: String(port), LOG_LEVEL: 'error' },
      execArgv: ['--import', join(FOLDER, 'hive-usage.ts')],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  );
  await once(child, 'message');
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/readiness`).catch(() => null);
    if (answer?.ok) return { child, port };
    await setTimeout(200);
  }
  throw new Error('it was not ready within a minute');
}

async function start(file: string, env: Record<string, string>): Promise<Running> {
  const child = fork(join(FOLDER, file), {
    env: { ...process.env, NODE_ENV: 'production', ...env },
    execArgv: (process.env['BENCH_NODE_OPTIONS'] ?? '').split(' ').filter(Boolean),
  });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port };
}

async function usage({ child }: Running): Promise<Usage> {
  child.send({});
  const [used] = (await once(child, 'message')) as [Usage];
  return used;
}

async function load(running: Running, query: string): Promise<Measured> {
  const pool = new Pool(`http://127.0.0.1:${running.port}`, { connections: CLIENTS });
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ query });
  const ask = async () => {
    const response = await pool.request({ path: '/graphql', method: 'POST', headers, body });
    return response.body.text();
  };
  const during = async (seconds: number): Promise<number> => {
    const until = performance.now() + seconds * 1000;
    let count = 0;
    const client = async () => {
      for (; performance.now() < until; count += 1) await ask();
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    return count;
  };
  const text = await ask();
  await during(SECONDS / 2);
  const [before, begun] = [await usage(running), performance.now()];
  const count = await during(SECONDS);
  const [after, seconds] = [await usage(running), (performance.now() - begun) / 1000];
  await pool.close();
  return {
    requestsPerSecond: count / seconds,
    cpuMs: (after.cpuMs - before.cpuMs) / count,
    bytes: Buffer.byteLength(text),
    answer: JSON.parse(text),
  };
}
