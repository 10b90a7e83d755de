/** So many a minute, of which `burst` may come at once. */
export type Rate = { perMinute: number; burst: number };
export type RateDecision = {
  allowed: boolean;
  /** How many more may come now. */
  remaining: number;
  /** Until the next one may come; 0 when it may now. */
  retryAfterMs: number;
};

/** Counts by key (generic cell rate algorithm). `cost` is how many requests it stands for. */
export type RateLimiter = { take(key: string, rate: Rate, cost?: number): Promise<RateDecision> };

const MOST_KEYS = 100_000;

export function createMemoryRateLimiter(now: () => number = Date.now): RateLimiter {
  /** When the bucket of the key is full again. */
  const fullAt = new Map<string, number>();
  return {
    async take(key, rate, cost = 1) {
      const at = now();
      const { decision, next } = decide(fullAt.get(key) ?? 0, at, rate, cost);
      if (decision.allowed) {
        fullAt.delete(key);
        fullAt.set(key, next);
      }
      if (fullAt.size > MOST_KEYS) forget(fullAt, at);
      return decision;
    },
  };
}

export function decide(fullAt: number, at: number, { perMinute, burst }: Rate, cost: number) {
  const interval = 60_000 / perMinute;
  const next = Math.max(fullAt, at) + interval * cost;
  const wait = next - interval * Math.max(burst, cost) - at;
  const allowed = wait <= 0;
  const held = (allowed ? next : Math.max(fullAt, at)) - at;
  const remaining = Math.max(0, Math.floor((interval * burst - held) / interval));
  const decision: RateDecision = { allowed, remaining, retryAfterMs: allowed ? 0 : Math.ceil(wait) };
  return { decision, next };
}

/** Those that are full again, and if that is not enough the ones that were used longest ago. */
function forget(fullAt: Map<string, number>, at: number): void {
  for (const [key, until] of fullAt) if (until <= at) fullAt.delete(key);
  for (const key of fullAt.keys()) {
    if (fullAt.size <= MOST_KEYS) return;
    fullAt.delete(key);
  }
}
