import { proxyActivities, type RetryPolicy } from '@temporalio/workflow';

/** One activity under the given policy, for what decides how long the server waits between its attempts. */
export async function retrying(retry: RetryPolicy & { jitter?: number }, failure: object): Promise<unknown> {
  const { fail } = proxyActivities<{ fail(failure: object): Promise<unknown> }>({ startToCloseTimeout: 60_000, retry });
  return fail(failure);
}
