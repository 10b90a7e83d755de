import { proxyActivities } from '@temporalio/workflow';

type Trivial = { http(input: { url: string }): Promise<{ status: number }> };
const { http } = proxyActivities<Trivial>({ startToCloseTimeout: 60_000, heartbeatTimeout: 10_000 });

/** What a person would write by hand instead of the 20-node definition. */
export async function handWrittenChain(length: number): Promise<number> {
  let status = 0;
  for (let index = 0; index < length; index += 1) status = (await http({ url: `http://localhost/${index}` })).status;
  return status;
}

/** The least history a workflow can have. */
export async function nothing(): Promise<null> {
  return null;
}
