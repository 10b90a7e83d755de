export type Bulkhead = {
  /** Gives true when it is one's turn, false when there is no room to wait or the wait took too long. */
  enter: (waitMs: number) => true | Promise<boolean>;
  leave: () => void;
  running: () => number;
  waiting: () => number;
};

/** So many at once; so many more wait for their turn, first come first served. */
export function createBulkhead(most: number, mostWaiting: number): Bulkhead {
  const queue = new Set<(isTurn: boolean) => void>();
  let running = 0;
  return {
    running: () => running,
    waiting: () => queue.size,
    enter(waitMs) {
      if (running < most) {
        running += 1;
        return true;
      }
      if (queue.size >= mostWaiting) return Promise.resolve(false);
      return new Promise((resolve) => {
        const timer = setTimeout(() => settle(false), waitMs);
        const settle = (isTurn: boolean) => {
          clearTimeout(timer);
          queue.delete(settle);
          resolve(isTurn);
        };
        queue.add(settle);
      });
    },
    leave() {
      const next = queue.values().next().value;
      // Whoever is next takes the place over.
      if (next) next(true);
      else running -= 1;
    },
  };
}
