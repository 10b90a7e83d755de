export type BreakerState = 'closed' | 'open' | 'half-open';
export type Breaker = {
  /** Whether a request may go out now; while half-open, one alone. */
  admits: () => boolean;
  succeeded: () => void;
  failed: () => void;
  state: () => BreakerState;
};
export type BreakerOptions = {
  /** So many failures in the window open it, when they are half of its requests; 0 never does. */
  failures: number;
  openMs: number;
  onChange: (state: BreakerState) => void;
  now?: () => number;
};

const BUCKETS = 10;
const BUCKET_MS = 1_000;

/** Leaves a server alone for a while that fails again and again. */
export function createBreaker({ failures, openMs, onChange, now = Date.now }: BreakerOptions): Breaker {
  const buckets = Array.from({ length: BUCKETS }, () => ({ at: 0, good: 0, bad: 0 }));
  let state: BreakerState = 'closed';
  let openUntil = 0;
  let probing = false;

  const become = (next: BreakerState) => {
    if (state === next) return;
    state = next;
    onChange(next);
  };
  const bucket = () => {
    const at = Math.floor(now() / BUCKET_MS);
    const found = buckets[at % BUCKETS] as (typeof buckets)[number];
    if (found.at !== at) Object.assign(found, { at, good: 0, bad: 0 });
    return found;
  };
  const isTooBad = () => {
    const since = Math.floor(now() / BUCKET_MS) - BUCKETS;
    let good = 0;
    let bad = 0;
    for (const one of buckets) {
      if (one.at <= since) continue;
      good += one.good;
      bad += one.bad;
    }
    return bad >= failures && bad >= good;
  };
  const open = () => {
    openUntil = now() + openMs;
    become('open');
  };

  return {
    state: () => state,
    admits() {
      if (state === 'closed') return true;
      if (state === 'open' && now() < openUntil) return false;
      become('half-open');
      if (probing) return false;
      probing = true;
      return true;
    },
    succeeded() {
      if (state === 'closed') {
        bucket().good += 1;
        return;
      }
      // An answer to what was sent before it opened says nothing of now.
      if (state === 'open') return;
      probing = false;
      for (const one of buckets) Object.assign(one, { good: 0, bad: 0 });
      become('closed');
    },
    failed() {
      if (failures === 0) return;
      if (state === 'half-open') {
        probing = false;
        open();
        return;
      }
      bucket().bad += 1;
      if (state === 'closed' && isTooBad()) open();
    },
  };
}
