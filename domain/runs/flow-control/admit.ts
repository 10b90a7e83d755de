import { type Turns, takeTurn, turnOf } from './fair-turns.ts';
import { PRIORITY } from './flow-policies.ts';
import { type FlowRequest, isTakenOnArrival, type LeaseRequest, type RateRequest } from './flow-request.ts';
import { nextAllowedAt } from './rate-window.ts';

/** A run that waits to be admitted. */
export type Candidate = Pick<FlowRequest, 'leases' | 'rate' | 'priority' | 'turn'> & {
  runId: string;
  /** Order of arrival. */
  sequence: number;
  waitedMs: number;
};

export type Capacity = {
  /** Places held, by name. */
  held: ReadonlyMap<string, number>;
  /** Times of earlier starts in order, by name; at least the newest `limit` of the last period. */
  starts: ReadonlyMap<string, readonly number[]>;
};

export type Blocked<Run = Candidate> = {
  candidate: Run;
  on: LeaseRequest | RateRequest;
  /** When a rate lets the next one go. */
  dueAt: number | null;
};
export type Admissions<Run = Candidate> = { admitted: Run[]; blocked: Blocked<Run>[]; turns: Turns };

/** Each of these that a run has waited lifts it by one priority, so that no flood of urgent runs holds it up for ever. */
export const LIFT_AFTER_MS = 60_000;

/**
 * Who of the candidates may start at `now`: all or nothing of what each asks for, in order of priority, then turn by turn between
 * fairness keys, then of arrival. Candidates beyond `most` admitted ones are in neither list.
 */
export function admit<Run extends Candidate>(
  candidates: readonly Run[],
  capacity: Capacity,
  { turns, now, most = Infinity }: { turns: Turns; now: number; most?: number },
): Admissions<Run> {
  const held = new Map(capacity.held);
  const starts = new Map(capacity.starts);
  const result: Admissions<Run> = { admitted: [], blocked: [], turns };
  for (const candidate of inOrder(candidates, () => result.turns)) {
    if (result.admitted.length >= most) break;
    const blocked = blockedOn(candidate, held, starts, now);
    if (blocked) {
      result.blocked.push(blocked);
      continue;
    }
    for (const { name } of waitedFor(candidate)) held.set(name, (held.get(name) ?? 0) + 1);
    const { rate } = candidate;
    if (rate) starts.set(rate.name, [...(starts.get(rate.name) ?? []), now]);
    result.admitted.push(candidate);
    result.turns = takeTurn(result.turns, candidate.turn);
  }
  return result;
}

/** The places that a run takes when it is admitted, not before. */
export function waitedFor({ leases }: Pick<Candidate, 'leases'>): LeaseRequest[] {
  return leases.filter((lease) => !isTakenOnArrival(lease));
}

export function effectivePriority({ priority, waitedMs }: Pick<Candidate, 'priority' | 'waitedMs'>): number {
  return Math.max(PRIORITY.first, priority - Math.floor(Math.max(0, waitedMs) / LIFT_AFTER_MS));
}

function blockedOn<Run extends Candidate>(
  candidate: Run,
  held: ReadonlyMap<string, number>,
  starts: Capacity['starts'],
  now: number,
): Blocked<Run> | null {
  const full = waitedFor(candidate).find(({ name, limit }) => (held.get(name) ?? 0) >= limit);
  if (full) return { candidate, on: full, dueAt: null };
  const { rate } = candidate;
  const dueAt = rate ? nextAllowedAt(starts.get(rate.name) ?? [], rate) : -Infinity;
  return rate && dueAt > now ? { candidate, on: rate, dueAt } : null;
}

/** Asks for the turns as they stand at each step, since every admission moves them. */
function* inOrder<Run extends Candidate>(candidates: readonly Run[], turnsNow: () => Turns): Generator<Run> {
  const levels = Map.groupBy(candidates, effectivePriority);
  for (const level of [...levels.keys()].sort((left, right) => left - right)) {
    const lines = Map.groupBy(
      (levels.get(level) as Run[]).toSorted((left, right) => left.sequence - right.sequence),
      ({ turn }) => turn.key,
    );
    while (lines.size > 0) {
      const key = nextKey(lines, turnsNow());
      const line = lines.get(key) as Run[];
      yield line.shift() as Run;
      if (line.length === 0) lines.delete(key);
    }
  }
}

/** The key with the least turn; among equals the one whose first run came first. */
function nextKey(lines: ReadonlyMap<string, readonly Candidate[]>, turns: Turns): string {
  let best = '';
  let least = Infinity;
  let earliest = Infinity;
  for (const [key, [first]] of lines) {
    const turn = turnOf(turns, key);
    const sequence = first?.sequence ?? Infinity;
    if (turn > least || (turn === least && sequence >= earliest)) continue;
    [best, least, earliest] = [key, turn, sequence];
  }
  return best;
}
