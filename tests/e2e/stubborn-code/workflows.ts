import { proxyActivities } from '@temporalio/workflow';
import type * as activities from './activities.ts';

const { hold } = proxyActivities<typeof activities>({
  startToCloseTimeout: '12 seconds',
  retry: { initialInterval: '100 milliseconds' },
});

export async function holdOn(): Promise<number> {
  return hold();
}
