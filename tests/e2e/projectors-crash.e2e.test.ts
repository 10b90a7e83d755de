import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { expectDensePositions } from './audit.ts';
import { threeCalls } from './definitions.ts';
import { type Ledger, startLedger } from './ledger.ts';
import { type Process, startProcess } from './process.ts';
import { type Stack, startStack } from './stack.ts';
import { startCli } from './weft-cli.ts';

const ROUNDS = 6;
/** However slow the machine is. */
const MOST_RUNS = 45;
let ledger: Ledger;
let stack: Stack;

beforeAll(async () => {
  ledger = await startLedger();
  stack = await startStack({ env: { WEFT_HTTP_ALLOWED_HOSTS: ledger.host, WEFT_RECONCILE_INTERVAL_MS: '2000' } });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await ledger?.close();
});

const mapped: WorkflowDefinition = {
  name: 'mapped',
  nodes: [
    { id: 'each', type: 'map', config: { items: '[1, 2, 3]' } },
    { id: 'twice', type: 'transform', parent: 'each', config: { value: 'item * 2' } },
  ],
  edges: [],
};
const looping: WorkflowDefinition = {
  name: 'looping',
  nodes: [
    { id: 'round', type: 'loop', config: { maximumIterations: 3, onBound: 'route' } },
    { id: 'pause', type: 'delay', parent: 'round', config: { durationMs: 50 } },
  ],
  edges: [],
};

/** A seed of its own makes a failure repeatable as far as processes are. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
}

const startProjector = (): Promise<Process> => startProcess('workers/projector-main.ts', [], stack.env);

describe('projectors that come, go and are killed while runs are under way', () => {
  it('lose no event, repeat none, and keep the order of each run', async () => {
    const definitions = [threeCalls('calls', ['/a', '/b', '/c'].map(ledger.url) as never), mapped, looping];
    const workflows = await Promise.all(definitions.map((definition) => stack.graphql.publish(definition)));
    const runs: string[] = [];
    let loading = true;
    const load = (async () => {
      for (let index = 0; loading && index < MOST_RUNS; index += 1) {
        runs.push(await stack.graphql.execute(workflows[index % workflows.length] as string, {}));
        await sleep(250);
      }
    })();
    const next = random(27);
    const others: Process[] = [await startProjector(), await startProjector()];
    let kills = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      await sleep(200 + next() * 400);
      const victim = others.splice(Math.floor(next() * others.length), 1)[0];
      if (next() < 0.7) {
        await victim?.kill();
        kills += 1;
      } else await victim?.stop();
      if (next() < 0.8 || others.length === 0) others.push(await startProjector());
    }
    loading = false;
    await load;
    await Promise.all(others.map((one) => one.kill()));
    expect({ kills: kills > 0, runs: runs.length > ROUNDS }).toEqual({ kills: true, runs: true });
    for (const id of runs) await stack.graphql.until(id, ['COMPLETED']);
    await expectDensePositions(stack);
    const { rows } = await stack.pool.query(
      `SELECT FROM (SELECT position < lag(position) OVER (PARTITION BY stream_key ORDER BY version) AS early FROM events) AS event
       WHERE early`,
    );
    expect(rows).toHaveLength(0);
    const audit = await weft('audit', '--last', '1000', '--json');
    expect(audit).toMatchObject({ gone: [], differences: [] });
    expect(audit.runs).toBeGreaterThanOrEqual(runs.length);
    expect(await weft('verify', '--all', '--json')).toMatchObject({ found: [] });
  }, 300_000);
});

async function weft(...words: string[]): Promise<any> {
  const cli = startCli(['events', ...words], stack.env);
  await cli.ended;
  if (cli.stdout() === '') throw new Error(cli.stderr());
  return JSON.parse(cli.stdout());
}
