import { continueAsNew, sleep } from '@temporalio/workflow';
import type { RunArguments } from '../domain/runs/messages.ts';

/** Three histories, each with a timer of its own, for what follows a run over its links. */
export async function run(args: RunArguments, link = 1): Promise<string> {
  await sleep(10, { summary: 'nap#1' });
  if (link < 3) await continueAsNew<typeof run>(args, link + 1);
  return `done in link ${link}`;
}
