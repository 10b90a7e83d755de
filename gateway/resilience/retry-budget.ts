export type RetryBudget = { earn: () => void; spend: () => boolean };

const SHARE = 0.1;
const MOST_SAVED = 20;

/** Retries are a tenth of the requests at most, over time: more would hold down a server that is trying to get up. */
export function createRetryBudget(): RetryBudget {
  let saved = MOST_SAVED;
  return {
    earn() {
      saved = Math.min(saved + SHARE, MOST_SAVED);
    },
    spend() {
      if (saved < 1) return false;
      saved -= 1;
      return true;
    },
  };
}

const FIRST_MS = 25;
const LONGEST_MS = 1_000;

/** Full jitter, so that those who failed together do not come back together. */
export const retryDelay = (attempt: number): number =>
  Math.random() * Math.min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS);
