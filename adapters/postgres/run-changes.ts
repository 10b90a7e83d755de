import { RUN_CHANGED_CHANNEL } from './read-models.ts';
import { listenTo } from './listen-to.ts';
import { waitFor } from './wait-for.ts';

export type RunChanges = {
  /** Resolves when the run has moved, or may have; rejects when `signal` is aborted. */
  next(runId: string, signal: AbortSignal): Promise<void>;
  /** Collects the ids of all runs that move from now on, of every tenant. */
  watch(): RunWatch;
  close(): Promise<void>;
};

export type RunWatch = {
  /** The runs that have moved since the last call, each once; rejects when `signal` is aborted. */
  next(signal: AbortSignal): Promise<string[]>;
  close(): void;
};

/** What the projectors say about runs, heard over one connection, which is made when somebody first asks. */
export function openRunChanges(databaseUrl: string, onLost: (error: unknown) => void): RunChanges {
  const waiting = new Map<string, Set<() => void>>();
  let listener: { close: () => Promise<void> } | undefined;
  const watches = new Set<(runIds: readonly string[]) => void>();
  const listen = () => (listener ??= listenTo(databaseUrl, RUN_CHANGED_CHANNEL, { onNotification, onLost }));
  const onNotification = (payload?: string) => {
    if (payload !== undefined) for (const moved of watches) moved(payload.split(' '));
    for (const runId of payload?.split(' ') ?? waiting.keys()) for (const wake of waiting.get(runId) ?? []) wake();
  };
  return {
    next(runId, signal) {
      listen();
      return waitFor(waiting, runId, signal);
    },
    watch() {
      listen();
      return openWatch(watches);
    },
    async close() {
      await listener?.close();
    },
  };
}

function openWatch(watches: Set<(runIds: readonly string[]) => void>): RunWatch {
  const collected = new Set<string>();
  let wake = Promise.withResolvers<void>();
  const moved = (runIds: readonly string[]) => {
    for (const runId of runIds) collected.add(runId);
    wake.resolve();
  };
  watches.add(moved);
  return {
    async next(signal) {
      const left = Promise.withResolvers<never>();
      const onAbort = () => left.reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort);
      try {
        signal.throwIfAborted();
        await Promise.race([wake.promise, left.promise]);
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
      wake = Promise.withResolvers();
      const runIds = [...collected];
      collected.clear();
      return runIds;
    },
    close: () => void watches.delete(moved),
  };
}
