import type { ExecutionResult } from '../execute/execute-operation.ts';

/** An event of a stream, and its place where it has one. */
export type Told = { result: ExecutionResult; cursor: string | null };

/** What equal callers follow together: the latest events, in order. */
export type JointStream = {
  /** Reads from a position on. */
  read: (from: number) => Reader;
  /** Where what comes after a place is, or undefined when that is not held. */
  behind: (cursor: string) => number | undefined;
  /** Where the latest event is. */
  latest: () => number;
};

export type Reader = {
  /** The next event, null at the end, or `behind` when it is no longer held. */
  next: () => Promise<Told | null | 'behind'>;
  leave: () => void;
};

type Place = { position: number; wake: () => void };

export type Sharing = {
  source: AsyncGenerator<Told>;
  /** The place that the source began behind. */
  after: string | null;
  mostHeld: number;
  /** How far the source may run ahead of its foremost reader; without it as far as it likes. */
  ahead: number;
  /** Called once, when the source has ended or the last reader has left. */
  onOver: () => void;
};

/** Runs a source once for many readers. Each reads at its own pace; those who fall too far behind lose their place. */
export function openJointStream({ source, after, mostHeld, ahead, onOver }: Sharing): JointStream {
  const held = latestOf(mostHeld);
  const readers = new Set<Place>();
  let over = false;
  let failure: unknown;
  let resume: (() => void) | null = null;
  const isAhead = () => {
    for (const { position } of readers) if (held.next() - position < ahead) return false;
    return readers.size > 0;
  };

  async function pump(): Promise<void> {
    try {
      for await (const told of source) {
        held.put(told);
        for (const reader of readers) reader.wake();
        while (isAhead() && !over) await new Promise<void>((resolve) => (resume = resolve));
        if (over) return;
      }
    } catch (error) {
      failure = error;
    }
    end();
    for (const reader of readers) reader.wake();
  }

  function end(): void {
    if (over) return;
    over = true;
    resume?.();
    onOver();
  }

  async function take(place: Place): Promise<Told | null | 'behind'> {
    while (place.position === held.next() && !over && readers.has(place)) {
      await new Promise<void>((resolve) => (place.wake = resolve));
    }
    if (!readers.has(place)) return null;
    if (place.position < held.first()) return 'behind';
    if (place.position < held.next()) {
      place.position += 1;
      resume?.();
      return held.at(place.position - 1);
    }
    if (failure !== undefined) throw failure;
    return null;
  }

  void pump();
  return {
    behind: (cursor) => {
      const place = held.placeOf(cursor);
      if (place !== undefined) return place + 1;
      return cursor === after && held.first() === 0 ? 0 : undefined;
    },
    latest: () => Math.max(0, held.next() - 1),
    read(from) {
      const place: Place = { position: from, wake: () => {} };
      readers.add(place);
      return {
        next: () => take(place),
        leave() {
          if (!readers.delete(place)) return;
          place.wake();
          resume?.();
          if (readers.size > 0) return;
          end();
          void source.return(undefined);
        },
      };
    },
  };
}

/** The latest events, by their positions from 0 on. */
function latestOf(most: number) {
  const ring: Told[] = [];
  const places = new Map<string, number>();
  let next = 0;
  return {
    first: () => Math.max(0, next - most),
    next: () => next,
    at: (position: number) => ring[position % most] as Told,
    placeOf: (cursor: string) => places.get(cursor),
    put(told: Told) {
      const old = ring[next % most]?.cursor ?? null;
      if (old !== null && places.get(old) === next - most) places.delete(old);
      ring[next % most] = told;
      if (told.cursor !== null) places.set(told.cursor, next);
      next += 1;
    },
  };
}
