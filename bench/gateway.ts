import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Pool } from 'undici';
import { LARGE_QUERY, SMALL_QUERY } from './gateway/queries.ts';
import type { Usage } from './gateway/report-usage.ts';
import { benchSupergraph } from './gateway/supergraph.ts';
import { type BenchResult, compared } from './report.ts';

const FOLDER = join(import.meta.dirname, 'gateway');
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 10);
const CLIENTS = Number(process.env['BENCH_CLIENTS'] ?? 50);
const QUERIES = { large: LARGE_QUERY, small: SMALL_QUERY };

type QueryName = keyof typeof QUERIES;
type Measured = { requestsPerSecond: number; cpuMs: number; bytes: number; answer: unknown };
type Contestant = Record<QueryName, Measured>;
type Running = { child: ChildProcess; port: number };

/** Our gateway as it is served, and the stock one as its documentation starts it, over the same four subgraphs. */
export async function gateway(): Promise<BenchResult[]> {
  const subgraphs = await start('subgraphs-process.ts', {});
  try {
    const supergraph = benchSupergraph(subgraphs.port);
    const stock = await measured('stock-process.ts', supergraph, {});
    const own = await measured('own-process.ts', supergraph, { WEFT_GATEWAY_SHARE_FETCHES: 'false' });
    const sharing = await measured('own-process.ts', supergraph, { WEFT_GATEWAY_SHARE_FETCHES: 'true' });
    return [
      ...against('large', 0.45, own, stock),
      ...against('small', 0.35, own, stock),
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
