/** Hands events from whoever pushes to one reader; holds so many and no more. */
export type EventQueue<Event> = {
  /** False when the reader has fallen too far behind; after what it holds the queue then ends, with `overflow` if there is one. */
  push: (event: Event) => boolean;
  end: (error?: unknown) => void;
  events: AsyncGenerator<Event>;
};

export function createEventQueue<Event>(
  most: number,
  onLeft: () => void,
  overflow: (() => Event) | null,
): EventQueue<Event> {
  const held: Event[] = [];
  let over = false;
  let failure: unknown;
  let arrived = Promise.withResolvers<void>();
  const end = (error?: unknown) => {
    if (over) return;
    over = true;
    failure = error;
    arrived.resolve();
  };
  const next = async (): Promise<IteratorResult<Event>> => {
    while (held.length === 0 && !over) await arrived.promise;
    arrived = Promise.withResolvers();
    if (held.length > 0) return { done: false, value: held.shift() as Event };
    if (failure !== undefined) throw failure;
    return { done: true, value: undefined };
  };
  const leave = async (): Promise<IteratorResult<Event>> => {
    held.length = 0;
    end();
    onLeft();
    return { done: true, value: undefined };
  };
  return {
    push(event) {
      if (over) return false;
      const fits = held.length < most;
      if (fits) held.push(event);
      else if (overflow !== null) held.push(overflow());
      if (!fits) end(overflow === null ? new ReaderTooSlow() : undefined);
      arrived.resolve();
      return fits;
    },
    end,
    events: {
      next,
      return: leave,
      throw: leave,
      [Symbol.asyncIterator]() {
        return this;
      },
      [Symbol.asyncDispose]: async () => void (await leave()),
    },
  };
}

export class ReaderTooSlow extends Error {
  constructor() {
    super('events came faster than they were read');
    this.name = 'ReaderTooSlow';
  }
}
