/** Gives what comes of several promises as soon as it comes. */
export type PartQueue<Part> = {
  add: (parts: Promise<readonly Part[]>) => void;
  pending: () => number;
  batches: () => AsyncGenerator<{ parts: Part[]; last: boolean }>;
};

export function createPartQueue<Part>(): PartQueue<Part> {
  let ready: Part[] = [];
  let pending = 0;
  let settled = Promise.withResolvers<void>();
  const settle = async (parts: Promise<readonly Part[]>) => {
    try {
      ready.push(...(await parts));
    } catch (error) {
      settled.reject(error);
    }
    pending -= 1;
    settled.resolve();
  };
  const take = () => {
    const parts = ready;
    ready = [];
    settled = Promise.withResolvers();
    return { parts, last: pending === 0 };
  };
  return {
    add(parts) {
      pending += 1;
      void settle(parts);
    },
    pending: () => pending,
    async *batches() {
      for (let last = pending === 0; !last;) {
        await settled.promise;
        const batch = take();
        last = batch.last;
        if (batch.parts.length > 0 || last) yield batch;
      }
    },
  };
}
