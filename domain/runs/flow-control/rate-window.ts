/**
 * When one more start is allowed, given the earlier ones in order of time. No window of `periodMs`, wherever it begins, then has
 * more than `limit` starts.
 */
export function nextAllowedAt(
  starts: readonly number[],
  { limit, periodMs }: { limit: number; periodMs: number },
): number {
  const first = starts[starts.length - limit];
  return first === undefined ? -Infinity : first + periodMs;
}
