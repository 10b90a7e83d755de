/** No server may hold a run longer than this. */
const LONGEST_MS = 3_600_000;

/** Milliseconds to wait by a Retry-After header (seconds, or an HTTP date); undefined when it says nothing usable. */
export function retryAfterMs(header: string | null | undefined, now: number): number | undefined {
  const text = header?.trim();
  if (!text || !/^\d|^[a-z]{3},/i.test(text)) return undefined;
  const wait = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(wait) ? Math.min(Math.max(0, Math.round(wait)), LONGEST_MS) : undefined;
}
