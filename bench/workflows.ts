import { executeChild, proxyActivities } from '@temporalio/workflow';

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

/** A map by hand: child workflows of `chunk` items each, `window` of them at a time, results in order. */
export async function slidingWindow(items: number[], chunk: number, window: number, remote: boolean): Promise<number> {
  const chunks = Array.from({ length: Math.ceil(items.length / chunk) }, (_, index) =>
    items.slice(index * chunk, (index + 1) * chunk),
  );
  const results: number[][] = [];
  let next = 0;
  const lane = async () => {
    while (next < chunks.length) {
      const index = next;
      next += 1;
      results[index] = await executeChild(oneChunk, { args: [chunks[index] as number[], remote] });
    }
  };
  await Promise.all(Array.from({ length: window }, lane));
  return results.flat().length;
}

export async function oneChunk(items: number[], remote: boolean): Promise<number[]> {
  if (!remote) return items.map((item) => item * 2);
  const results: number[] = [];
  for (const _ of items) results.push((await http({ url: 'http://localhost/' })).status);
  return results;
}
