/** What has changed lately, so that nobody keeps what was read before. */
export type RecentChanges = {
  moment: () => number;
  add: (what: string) => void;
  /** Anything may have changed. */
  all: () => void;
  /** Whether it has changed since a moment, or may have; null is for what cannot be known by name. */
  since: (moment: number, what: string | null) => boolean;
};

/** Remembers so many; of a moment before the oldest of them everything may have changed. */
export function recentChanges(most: number): RecentChanges {
  const changes = new Map<string, number>();
  let now = 0;
  let forgotten = 0;
  return {
    moment: () => now,
    add(what) {
      now += 1;
      changes.delete(what);
      changes.set(what, now);
      if (changes.size <= most) return;
      const [oldest, at] = changes.entries().next().value as [string, number];
      changes.delete(oldest);
      forgotten = at;
    },
    all() {
      now += 1;
      forgotten = now;
    },
    since: (moment, what) => moment < forgotten || (what !== null && (changes.get(what) ?? 0) > moment),
  };
}
