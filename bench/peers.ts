import { execFile } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { loadSettings } from '../config/load.ts';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from '../domain/runs/definition.ts';
import { type Contestants, withContestants } from './contestants.ts';
import { trivialActivities } from './engine.ts';
import { type BenchResult, judged, median } from './report.ts';
import { type BenchServers, startBenchServers } from './servers.ts';

const STEPS = 40;
const RUNS = Number(process.env['BENCH_RUNS'] ?? 30);
const LANES = 10;
const SOURCE = join(import.meta.dirname, 'peers');
/** Outside of what tests and linters read: the packages of the peers are gigabytes. */
const FOLDER = resolve(loadSettings().WEFT_DATA_DIR, 'bench-peers');
const INSTALL_MS = 1_800_000;
const PEER_MS = 600_000;

type Timed = { walls: number[]; stepsPerSecond: number };
/** Told from the rest when it cannot be compared. */
type Entry = { name: string; result: Timed | { why: string } };

const PEERS: readonly { name: string; script: string; install: string; npm: readonly (readonly string[])[] }[] = [
  { name: 'DBOS', script: 'dbos.mjs', install: '.', npm: [['install']] },
  { name: 'Restate', script: 'restate.mjs', install: '.', npm: [['install']] },
  {
    name: 'n8n',
    script: 'n8n.mjs',
    install: 'n8n',
    // The install scripts of what this never uses fetch binaries from GitHub.
    npm: [
      ['install', '--ignore-scripts'],
      ['rebuild', 'sqlite3'],
    ],
  },
];
/** Its npm package is a script that fetches a binary from GitHub when it is installed. */
const INNGEST: Entry = { name: 'Inngest', result: { why: 'npm has no server, only a script that downloads one' } };

/** Forty light steps in sequence, everywhere on this machine: one run after another, and ten at a time. */
export async function peers(): Promise<BenchResult[]> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  cpSync(SOURCE, FOLDER, { recursive: true });
  const servers = await startBenchServers({ temporal: true });
  try {
    const ours = await withContestants(servers, trivialActivities, measureOurs);
    const others: Entry[] = [];
    for (const peer of PEERS) others.push({ name: peer.name, result: await measurePeer(peer, servers) });
    return report(ours, [...others, INNGEST]);
  } finally {
    await servers.stop();
  }
}

type Ours = { inline: Timed; fused: Timed; remote: Timed };

async function measureOurs({ interpreted, byHand }: Contestants): Promise<Ours> {
  const [inline, fused] = [inlineChain(), fusedChain()];
  return {
    inline: await timed(() => interpreted(inline, null)),
    fused: await timed(() => interpreted(fused, null)),
    remote: await timed(() => byHand('handWrittenChain', [STEPS])),
  };
}

async function timed(runOnce: () => Promise<unknown>): Promise<Timed> {
  for (let index = 0; index < 3; index += 1) await runOnce();
  const walls: number[] = [];
  for (let index = 0; index < RUNS; index += 1) {
    const begun = performance.now();
    await runOnce();
    walls.push(performance.now() - begun);
  }
  let left = RUNS * 2;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await runOnce();
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: LANES }, lane));
  return { walls, stepsPerSecond: (RUNS * 2 * STEPS * 1000) / (performance.now() - begun) };
}

async function measurePeer(
  { script, install, npm }: (typeof PEERS)[number],
  { settings }: BenchServers,
): Promise<Entry['result']> {
  const run = promisify(execFile);
  const folder = join(FOLDER, install);
  const database = new URL(settings.DATABASE_URL);
  database.pathname = '/dbos_bench';
  try {
    if (!existsSync(join(folder, 'node_modules'))) {
      for (const args of npm) {
        process.stderr.write(`npm ${args.join(' ')} in ${folder}\n`);
        await run('npm', [...args, '--no-audit', '--no-fund', '--no-package-lock'], {
          cwd: folder,
          timeout: INSTALL_MS,
          maxBuffer: 1e8,
        });
      }
    }
    const { stdout } = await run(process.execPath, [join(FOLDER, script)], {
      cwd: FOLDER,
      timeout: PEER_MS,
      maxBuffer: 1e8,
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        BENCH_DATABASE_URL: database.href,
        BENCH_STEPS: String(STEPS),
        BENCH_RUNS: String(RUNS),
        BENCH_LANES: String(LANES),
        RESTATE_LOGGING: 'ERROR',
      },
    });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Timed;
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    return { why: (stderr || message).trim().split('\n').at(-1) ?? message };
  }
}

/** Each peer against both of ours; the goal is that ours is first. */
function report({ inline, fused, remote }: Ours, others: readonly Entry[]): BenchResult[] {
  const compared: Entry[] = [{ name: 'Temporal by hand, remote activities', result: remote }, ...others];
  return compared.flatMap(({ name, result }) => {
    if ('why' in result) {
      process.stderr.write(`${name} is not compared: ${result.why}\n`);
      return [];
    }
    return (['inline', 'fused'] as const).flatMap((kind) => {
      const weft = kind === 'inline' ? inline : fused;
      const perStep = ({ walls }: Timed) => median(walls) / STEPS;
      return [
        judged({
          name: `${STEPS} steps, ${kind} nodes against ${name}, p50 a step`,
          unit: 'ms',
          value: perStep(weft),
          baseline: perStep(result),
          ratio: perStep(weft) / perStep(result),
          goal: { atMost: 1 },
        }),
        judged({
          name: `the same, ${LANES} runs at a time`,
          unit: 'steps/s',
          value: weft.stepsPerSecond,
          baseline: result.stepsPerSecond,
          ratio: weft.stepsPerSecond / result.stepsPerSecond,
          goal: { atLeast: 1 },
        }),
      ];
    });
  });
}

function chainOf(name: string, node: (index: number) => Omit<NodeDefinition, 'id'>): WorkflowDefinition {
  const nodes = Array.from({ length: STEPS }, (_, index): NodeDefinition => ({ id: `n${index}`, ...node(index) }));
  const edges = nodes.slice(1).map((one, index): EdgeDefinition => ({ from: `n${index}`, to: one.id }));
  return { name, nodes, edges };
}

const inlineChain = (): WorkflowDefinition =>
  chainOf('bench-inline', (index) => ({
    type: 'transform',
    config: { value: index === 0 ? '1' : `nodes.n${index - 1}.output + 1` },
  }));

const fusedChain = (): WorkflowDefinition =>
  chainOf('bench-fused-steps', (index) => ({
    type: 'http',
    config: { url: `http://localhost/${index}`, timeoutMs: 5_000 },
  }));
