import { proxyActivities, sleep } from '@temporalio/workflow';
import type * as activities from './activities.ts';

const { greet, count } = proxyActivities<typeof activities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '100 milliseconds', maximumAttempts: 3 },
});

type Greeted = { greetings: string[]; letters: number };

/** A workflow written by hand: plain Temporal code, known to Weft as `greet-everyone`. */
export async function greetEveryone({ names }: { names: string[] }): Promise<Greeted> {
  const greetings = await Promise.all(names.map((name) => greet(name)));
  await sleep(100);
  return { greetings, letters: await count(greetings) };
}
