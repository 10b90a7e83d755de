/** A stream that stops waiting, too, when its reader leaves; a generator alone would wait for its next value first. */
export function untilLeft<Event>(open: (signal: AbortSignal) => AsyncGenerator<Event>): AsyncGenerator<Event> {
  const leaving = new AbortController();
  const events = open(leaving.signal);
  const over = { done: true, value: undefined } as const;
  const unlessLeft = (error: unknown): IteratorResult<Event> => {
    if (leaving.signal.aborted) return over;
    throw error;
  };
  const leave = async (): Promise<IteratorResult<Event>> => {
    leaving.abort();
    await events.return(undefined).catch(unlessLeft);
    return over;
  };
  return {
    next: () => events.next().catch(unlessLeft),
    return: leave,
    throw: leave,
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => void (await leave()),
  };
}
