import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Scenario } from '../../domain/authoring/read-scenario.ts';
import { ROOT } from '../source-files.ts';
import { holdEmits, type Middle, MIDDLES, reachMiddle } from './middles.ts';
import { type Example, type Outcome, play, readExample, simulatedOutcome } from './play-example.ts';
import { type Stack, startStack } from './stack.ts';

const EXAMPLES = new Map(
  readdirSync(join(ROOT, 'samples/nodes'))
    // Agents need a model that calls tools: agents-crash.e2e.test.ts has one.
    .filter((file) => file.endsWith('.yaml') && !file.startsWith('agent'))
    .map((file) => [file.replace('.yaml', ''), readExample(file.replace('.yaml', ''))]),
);
const SCENARIOS = [...EXAMPLES].flatMap(([name, example]) =>
  example.scenarios.map((scenario) => [name, scenario.name, { example, scenario }] as const),
);
const NODE_SETTLED = ['COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'];
/** What they give for a long text, the simulator cannot know. */
const REAL_ONLY = ['content-analyze', 'model-complete', 'model-embed'];

let stack: Stack;
const undisturbed = new Map<string, Promise<Outcome>>();
const cancelled = new Map<string, Promise<Outcome>>();
const killed = new Map<string, Promise<Outcome>>();

beforeAll(async () => {
  const env = { WEFT_HTTP_ALLOWED_HOSTS: '127.0.0.1', WEFT_MCP_STDIO_COMMANDS: process.execPath };
  stack = await startStack({ env: { ...env, WEFT_SECRET_KEY: 'k'.repeat(40) } });
  await registerEverything();
  for (const [, { definition }] of EXAMPLES) await stack.graphql.publish(definition);
  for (const [name, title, { example, scenario }] of SCENARIOS)
    keep(undisturbed, `${name}: ${title}`, finishOf(example, scenario));
  for (const middle of MIDDLES) if (middle.example !== 'emit') keep(cancelled, middle.example, cancelIn(middle));
}, 120_000);
afterAll(() => stack?.stop());

/** The reference server of MCP, for the example that calls a tool. */
async function registerEverything(): Promise<void> {
  const script = join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');
  const input = { id: 'everything', transport: 'STDIO', command: process.execPath, args: [script, 'stdio'] };
  const { errors } = await stack.graphql.send(
    'mutation($input: McpServerInput!) { saveMcpServer(input: $input) { id } }',
    { input },
  );
  if (errors) throw new Error(JSON.stringify(errors));
}

/** A test takes the outcome when it comes to it. */
function keep(outcomes: Map<string, Promise<Outcome>>, name: string, outcome: Promise<Outcome>): void {
  outcome.catch(() => undefined);
  outcomes.set(name, outcome);
}

const finishOf = async (example: Example, scenario: Scenario, input = {}): Promise<Outcome> =>
  (await play(stack, example, scenario, { input })).finish();

async function begin({ example: name, input = {}, hold }: Middle) {
  const example = EXAMPLES.get(name) as Example;
  return play(stack, example, example.scenarios[0] as Scenario, { input, hold });
}

async function cancelIn(middle: Middle): Promise<Outcome> {
  const run = await begin({ ...middle, input: middle.endless ?? middle.input ?? {} });
  await reachMiddle(stack, middle, run);
  await stack.graphql.send('mutation($id: ID!) { cancelRun(runId: $id) { id } }', { id: run.runId });
  await stack.graphql.until(run.runId, ['CANCELLED', 'COMPLETED', 'FAILED'], 80_000);
  await run.shop.close();
  return run.view();
}

/** Items of a map go side by side; the calls of a subworkflow are those of another run. */
function expected(outcome: Outcome, { definition }: Example): Outcome {
  const types = definition.nodes.map(({ type }) => type);
  if (types.includes('subworkflow')) return { ...outcome, calls: expect.any(Array) as never };
  if (types.includes('map')) return { ...outcome, calls: expect.arrayContaining(outcome.calls) as never };
  return outcome;
}

describe('an example on Temporal', () => {
  it.each(SCENARIOS)(
    '%s ends as in the simulator: %s',
    async (name, title, { example, scenario }) => {
      const outcome = await undisturbed.get(`${name}: ${title}`);
      expect(outcome).toEqual(expected(simulatedOutcome(example, scenario), example));
    },
    90_000,
  );
});

describe('an example that is cancelled in the middle', () => {
  beforeAll(async () => {
    const letEmit = await holdEmits(stack);
    const emit = MIDDLES.find(({ example }) => example === 'emit') as Middle;
    const outcome = cancelIn(emit);
    await outcome.finally(letEmit);
    keep(cancelled, 'emit', outcome);
  }, 90_000);

  it.each(MIDDLES)(
    '$example leaves nothing open, and what was done is undone',
    async ({ example: name }) => {
      const { status, nodes } = (await cancelled.get(name)) as Outcome;
      const open = nodes.filter((node) => !NODE_SETTLED.includes(node.status));
      expect({ status, open }).toEqual({ status: 'CANCELLED', open: [] });
      const completed = nodes.filter((node) => node.status === 'COMPLETED').map(({ id }) => id);
      const undos = (EXAMPLES.get(name) as Example).definition.nodes
        .filter(({ id, undo }) => undo !== undefined && completed.includes(id))
        .map(({ id }) => `${id}.undo`);
      expect(completed.filter((id) => id.endsWith('.undo')).toSorted()).toEqual(undos.toSorted());
      expect(undos.length).toBe(name === 'undo' ? 2 : 0);
    },
    90_000,
  );
});

describe('an example whose worker is killed in the middle', () => {
  beforeAll(async () => {
    const letEmit = await holdEmits(stack);
    const runs = await Promise.all(
      MIDDLES.map(async (middle) => {
        const run = await begin(middle);
        await reachMiddle(stack, middle, run);
        return { middle, run };
      }),
    );
    await stack.processes.worker.kill();
    await letEmit();
    for (const { run } of runs) run.shop.open();
    await stack.start('worker');
    for (const { middle, run } of runs) keep(killed, middle.example, run.finish());
    for (const { example: name, input } of MIDDLES.filter(({ example }) => REAL_ONLY.includes(example))) {
      const example = EXAMPLES.get(name) as Example;
      keep(undisturbed, name, finishOf(example, example.scenarios[0] as Scenario, input));
    }
  }, 120_000);

  it.each(MIDDLES)(
    '$example ends as if nothing had happened',
    async ({ example: name, input = {} }) => {
      const example = EXAMPLES.get(name) as Example;
      const like = REAL_ONLY.includes(name)
        ? await undisturbed.get(name)
        : expected(simulatedOutcome(example, example.scenarios[0] as Scenario, input), example);
      expect(await killed.get(name)).toEqual(like);
    },
    90_000,
  );

  it('has emitted its event once', async () => {
    const { rows } = await stack.pool.query(
      `SELECT count(*)::int AS events, count(DISTINCT run_id)::int AS runs FROM emitted_events WHERE name = 'order.placed'`,
    );
    expect(rows[0].events).toBeGreaterThanOrEqual(2);
    expect(rows).toEqual([{ events: expect.any(Number), runs: rows[0].events }]);
  });
});
