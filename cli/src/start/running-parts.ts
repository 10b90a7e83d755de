/** Doors first, then what works behind them, the stores last. */
const STOP_ORDER = ['gateway', 'api', 'projector', 'workers', 'temporal', 'postgres'] as const;
export type PartName = (typeof STOP_ORDER)[number];
export type Part = { stop: (graceMs?: number) => Promise<void> };

export type RunningParts = {
  /** A part that appears after stopping has begun is stopped in its turn, or at once. */
  add: (name: PartName, part: Part) => void;
  /** Stops everything in order. A second call, with 0, kills what is left. */
  stop: (graceMs?: number) => Promise<void>;
  stopping: AbortSignal;
};

export function createRunningParts(): RunningParts {
  const parts = new Map<PartName, Part>();
  const stopping = new AbortController();
  const late: Promise<void>[] = [];
  return {
    stopping: stopping.signal,
    add(name, part) {
      if (stopping.signal.aborted) late.push(part.stop());
      else parts.set(name, part);
    },
    async stop(graceMs) {
      stopping.abort();
      if (graceMs === 0) {
        await Promise.all([...parts.values()].map((part) => part.stop(0)));
        return;
      }
      for (const name of STOP_ORDER) await parts.get(name)?.stop(graceMs);
      await Promise.all(late);
    },
  };
}
