import type { FollowRequest } from './follow-run.ts';

/** Runs that wait for a follower, each once: what happens now before what has piled up. */
export type FollowLanes = {
  add(request: FollowRequest, late: boolean): void;
  /** The next one there is room for. */
  take(room: { late: boolean }): { request: FollowRequest; late: boolean } | undefined;
  clear(): void;
  sizes(): { live: number; backlog: number };
};

export function createFollowLanes(): FollowLanes {
  const live = new Map<string, FollowRequest>();
  const backlog = new Map<string, FollowRequest>();
  return {
    add(request, late) {
      const { runId } = request;
      const merged = { ...live.get(runId), ...backlog.get(runId), ...request };
      // Who waits in the backlog and has news goes ahead with it.
      const lane = late && !live.has(runId) ? backlog : live;
      if (lane === live) backlog.delete(runId);
      lane.set(runId, merged);
    },
    take(room) {
      for (const [lane, late] of [
        [live, false],
        [backlog, true],
      ] as const) {
        if (late && !room.late) continue;
        for (const [runId, request] of lane) {
          lane.delete(runId);
          return { request, late };
        }
      }
      return undefined;
    },
    clear() {
      live.clear();
      backlog.clear();
    },
    sizes: () => ({ live: live.size, backlog: backlog.size }),
  };
}
