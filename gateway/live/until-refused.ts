import type { GraphQLError } from 'graphql';

/** Ends a stream with an error when a look from time to time says that its reader may no longer have it. */
export function untilRefused<Event>(
  stream: AsyncGenerator<Event>,
  everyMs: number,
  look: () => Promise<GraphQLError | null>,
): AsyncGenerator<Event | { errors: GraphQLError[] }> {
  let refusal: GraphQLError | null = null;
  const timer = setInterval(() => {
    void look().then((found) => {
      refusal ??= found;
      if (refusal !== null) void stream.return(undefined);
      return refusal;
    });
  }, everyMs);
  timer.unref();
  const over = { done: true, value: undefined } as const;
  const leave = async (): Promise<typeof over> => {
    clearInterval(timer);
    await stream.return(undefined);
    return over;
  };
  return {
    async next() {
      const step = await stream.next();
      if (!step.done) return step;
      clearInterval(timer);
      if (refusal === null) return over;
      const errors = [refusal];
      refusal = null;
      return { done: false, value: { errors } };
    },
    return: leave,
    throw: leave,
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => void (await leave()),
  };
}
