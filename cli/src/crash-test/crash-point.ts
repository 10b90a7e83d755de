/**
 * Where the worker is killed:
 * `event`: Temporal has written the nth change of the run, or given out its nth task, and the worker does not know;
 * `report`: the worker has done its nth piece of work, and Temporal does not know;
 * `call`: the nth call to the outside has arrived there and is not answered;
 * `activity`: the nth activity task is under way.
 */
export const POINT_KINDS = ['event', 'report', 'call', 'activity'] as const;
export type PointKind = (typeof POINT_KINDS)[number];
export type CrashPoint = { kind: PointKind; nth: number };

/** How often each kind of point came by in an undisturbed run. */
export type PointCounts = Record<PointKind, number>;

export function allPoints(counts: PointCounts): CrashPoint[] {
  return POINT_KINDS.flatMap((kind) => Array.from({ length: counts[kind] }, (_, index) => ({ kind, nth: index + 1 })));
}

/** At most `limit` of them, spread evenly over each kind; every kind has its share as long as there is room. */
export function choosePoints(counts: PointCounts, limit: number): CrashPoint[] {
  const points = allPoints(counts);
  if (points.length <= limit) return points;
  const chosen = POINT_KINDS.flatMap((kind) => {
    const share = Math.min(counts[kind], Math.max(1, Math.round((limit * counts[kind]) / points.length)));
    return Array.from({ length: share }, (_, index) => ({
      kind,
      nth: Math.floor(((index + 0.5) * counts[kind]) / share) + 1,
    }));
  });
  while (chosen.length > limit)
    chosen.splice(
      chosen.findIndex(({ kind }) => kind === mostOf(chosen)),
      1,
    );
  return chosen;
}

function mostOf(points: readonly CrashPoint[]): PointKind {
  const number = (kind: PointKind) => points.filter((point) => point.kind === kind).length;
  return POINT_KINDS.toSorted((left, right) => number(right) - number(left))[0] as PointKind;
}

export type PointCounter = {
  counts: PointCounts;
  /** Counts a point that came by; true when it is the one to be killed at. */
  reached: (kind: PointKind) => boolean;
};

export function pointCounter(target: CrashPoint | null): PointCounter {
  const counts: PointCounts = { event: 0, report: 0, call: 0, activity: 0 };
  return {
    counts,
    reached: (kind) => {
      counts[kind] += 1;
      return target?.kind === kind && target.nth === counts[kind];
    },
  };
}
