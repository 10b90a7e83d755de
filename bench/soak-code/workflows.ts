import { continueAsNew, proxyActivities, sleep } from '@temporalio/workflow';
import type * as activities from './activities.ts';

const { note } = proxyActivities<typeof activities>({ startToCloseTimeout: '30 seconds' });

/** A workflow written by hand that goes on as new, with an activity in each link. */
export async function soakHops({ left }: { left: number }): Promise<string> {
  await note(left);
  await sleep(200);
  if (left > 1) await continueAsNew<typeof soakHops>({ left: left - 1 });
  return 'arrived';
}
