import type { ExecutionResult } from '../execute/execute-operation.ts';

/** An event of a stream, and its place where it has one. */
export type Told = { result: ExecutionResult; cursor: string | null };

/** What equal callers follow together: the latest events, in order. */
export type SharedStream = {
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
export function shareStream({ source, after, mostHeld, ahead, onOver }: Sharing): SharedStream {
  const held: Told[] = [];
  const places = new Map<string, number>();
  const readers = new Set<Place>();
  let next = 0;
  let over = false;
  let failure: unknown;
  let resume: (() => void) | null = null;
  const first = () => Math.max(0, next - mostHeld);

  function put(told: Told): void {
    const index = next % mostHeld;
    const old = held[index]?.cursor ?? null;
    if (old !== null && places.get(old) === next - mostHeld) places.delete(old);
    held[index] = told;
    if (told.cursor !== null) places.set(told.cursor, next);
    next += 1;
    for (const reader of readers) reader.wake();
  }

  const isAhead = () => {
    for (const { position } of readers) if (next - position < ahead) return false;
    return readers.size > 0;
  };

  async function pump(): Promise<void> {
    try {
      for await (const told of source) {
        put(told);
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
    while (place.position === next && !over && readers.has(place)) {
      await new Promise<void>((resolve) => (place.wake = resolve));
    }
    if (!readers.has(place)) return null;
    if (place.position < first()) return 'behind';
    if (place.position < next) {
      place.position += 1;
      resume?.();
      return held[(place.position - 1) % mostHeld] as Told;
    }
    if (failure !== undefined) throw failure;
    return null;
  }

  void pump();
  return {
    behind: (cursor) => {
      const place = places.get(cursor);
      if (place !== undefined) return place + 1;
      return cursor === after && first() === 0 ? 0 : undefined;
    },
    latest: () => Math.max(0, next - 1),
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
