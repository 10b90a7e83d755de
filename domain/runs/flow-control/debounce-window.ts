/** When a debounced run is due after a request at `at`, the first having come at `firstAt`. */
export function debounceDueAt(
  firstAt: number,
  at: number,
  { periodMs, maxWaitMs }: { periodMs: number; maxWaitMs: number | null },
): number {
  return Math.min(at + periodMs, firstAt + (maxWaitMs ?? Infinity));
}
