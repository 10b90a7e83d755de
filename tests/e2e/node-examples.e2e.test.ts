import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT } from '../source-files.ts';
import { type Outcome, play, readExample, simulatedOutcome } from './play-example.ts';
import { type Stack, startStack } from './stack.ts';

const EXAMPLES = readdirSync(join(ROOT, 'samples/nodes'))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.replace('.yaml', ''));
const SCENARIOS = EXAMPLES.flatMap((name) =>
  readExample(name).scenarios.map((scenario) => [name, scenario.name] as const),
);
const scenarioOf = (name: string, title: string) => {
  const example = readExample(name);
  const scenario = example.scenarios.find((one) => one.name === title);
  if (scenario === undefined) throw new Error(`no ${title}`);
  return { example, scenario };
};

let stack: Stack;
const outcomes = new Map<string, Promise<Outcome>>();

beforeAll(async () => {
  stack = await startStack({ env: { WEFT_HTTP_ALLOWED_HOSTS: '127.0.0.1', WEFT_SECRET_KEY: 'k'.repeat(40) } });
  for (const name of EXAMPLES) await stack.graphql.publish(readExample(name).definition);
  for (const [name, title] of SCENARIOS) {
    const { example, scenario } = scenarioOf(name, title);
    const outcome = play(stack, example, scenario).then((one) => one.finish());
    outcome.catch(() => undefined);
    outcomes.set(`${name}: ${title}`, outcome);
  }
}, 120_000);
afterAll(() => stack?.stop());

describe('an example on Temporal ends as in the simulator', () => {
  it.each(SCENARIOS)(
    '%s: %s',
    async (name, title) => {
      const { example, scenario } = scenarioOf(name, title);
      expect(await outcomes.get(`${name}: ${title}`)).toEqual(expected(simulatedOutcome(example, scenario), example));
    },
    90_000,
  );
});

/** Items of a map go side by side; the calls of a subworkflow are those of another run. */
function expected(outcome: Outcome, { definition }: ReturnType<typeof readExample>): Outcome {
  const types = definition.nodes.map(({ type }) => type);
  if (types.includes('subworkflow')) return { ...outcome, calls: expect.any(Array) as never };
  if (types.includes('map')) return { ...outcome, calls: expect.arrayContaining(outcome.calls) as never };
  return outcome;
}
