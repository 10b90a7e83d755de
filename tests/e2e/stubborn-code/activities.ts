import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';

/** Its first attempt hears nothing of cancellation. */
export async function hold(): Promise<number> {
  const { attempt } = Context.current().info;
  if (attempt === 1) await sleep(60_000);
  return attempt;
}
