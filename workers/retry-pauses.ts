import type { FollowRequest } from './follow-run.ts';

/** Runs that could not be read, until they are tried again; they hold no follower meanwhile. */
export type RetryPauses = {
  /** Gives the length of the pause, which doubles with each failure. */
  rest(request: FollowRequest, again: (request: FollowRequest) => void): number;
  /** True when the run is resting: what was asked then comes with the next try. */
  add(request: FollowRequest): boolean;
  forget(runId: string): void;
  stop(): void;
};

const RETRY_MS = { first: 100, most: 30_000 };

export function createRetryPauses(): RetryPauses {
  const resting = new Map<string, { delay: number; timer: NodeJS.Timeout | undefined; request: FollowRequest }>();
  return {
    rest(request, again) {
      const { runId } = request;
      const delay = Math.min((resting.get(runId)?.delay ?? RETRY_MS.first / 2) * 2, RETRY_MS.most);
      const wake = () => {
        entry.timer = undefined;
        again(entry.request);
      };
      const entry = { delay, request, timer: setTimeout(wake, delay) as NodeJS.Timeout | undefined };
      resting.set(runId, entry);
      return delay;
    },
    add(request) {
      const entry = resting.get(request.runId);
      if (!entry?.timer) return false;
      entry.request = { ...entry.request, ...request };
      return true;
    },
    forget: (runId) => void resting.delete(runId),
    stop() {
      for (const { timer } of resting.values()) clearTimeout(timer);
      resting.clear();
    },
  };
}
