/**
 * Durations sorted into classes, each 10% wider than the one before: counts of two days, or of two machines, add up, and any
 * quantile of the sum is right within 5%.
 */
const WIDTH = 1.1;

/** 0 is below one millisecond. */
export function durationClass(ms: number): number {
  return ms < 1 ? 0 : Math.floor(Math.log(ms) / Math.log(WIDTH)) + 1;
}

/** In the middle of the class, so that no duration in it is further off than 5%. */
export function durationOf(bucket: number): number {
  return bucket === 0 ? 0 : (2 * WIDTH ** bucket) / (1 + WIDTH);
}

/** The duration that `share` of all stay within; null of nothing. */
export function quantile(counts: ReadonlyMap<number, number>, share: number): number | null {
  const sorted = [...counts].toSorted(([left], [right]) => left - right);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return null;
  let left = Math.max(1, Math.ceil(share * total));
  for (const [bucket, count] of sorted) {
    left -= count;
    if (left <= 0) return durationOf(bucket);
  }
  return null;
}
