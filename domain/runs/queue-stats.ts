/** Half of a task queue: its workflow tasks or its activity tasks. */
export type QueueHalf = {
  /** Workers that asked for tasks lately, by the name they give themselves. */
  pollers: readonly { identity: string; lastPollAt: number }[];
  /** Tasks that wait; approximate. */
  backlog: number;
  /** How long the first of them has waited. */
  backlogAgeMs: number;
  /** Tasks a second over the last half minute. */
  addedPerSecond: number;
  dispatchedPerSecond: number;
};

export type QueueStats = { queue: string; workflows: QueueHalf; activities: QueueHalf; readAt: number };

/**
 * A poll is renewed every minute; Temporal lists pollers for five. One that has been silent for longer than this has gone, or is
 * busy with everything it can take.
 */
export const POLLER_SILENT_MS = 75_000;

export function livePollers({ pollers }: QueueHalf, now: number): number {
  return pollers.filter(({ lastPollAt }) => now - lastPollAt <= POLLER_SILENT_MS).length;
}

export function backlogOf({ workflows, activities }: QueueStats): number {
  return workflows.backlog + activities.backlog;
}

export function backlogAgeOf({ workflows, activities }: QueueStats): number {
  return Math.max(workflows.backlogAgeMs, activities.backlogAgeMs);
}

/** Whether work waits for which nobody asks. */
export function isUnserved(stats: QueueStats): boolean {
  return [stats.workflows, stats.activities].some((half) => half.backlog > 0 && livePollers(half, stats.readAt) === 0);
}
