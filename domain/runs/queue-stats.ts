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

/** A task that an idle worker does not take within this has none. */
export const NOTICE_MS = 3_000;

/**
 * Whether nobody has asked for work since a task began to wait: an idle worker, whose poll is open, would have had it at once. Those
 * that polled earlier have stopped, or are busy with all that they can take.
 */
export function isSilent({ pollers }: QueueHalf, waitingSince: number): boolean {
  return pollers.every(({ lastPollAt }) => lastPollAt < waitingSince);
}

/** Whether work waits for which nobody asks. */
export function isUnserved({ workflows, activities, readAt }: QueueStats): boolean {
  return [workflows, activities].some((half) => {
    if (half.backlog === 0) return false;
    if (livePollers(half, readAt) === 0) return true;
    return half.backlogAgeMs >= NOTICE_MS && isSilent(half, readAt - half.backlogAgeMs);
  });
}
