import { RUN_CHANGED_CHANNEL } from './feed-store.ts';
import { listenTo } from './listen-to.ts';

export type RunChanges = {
  /** Resolves when the run has moved, or may have; rejects when `signal` is aborted. */
  next(runId: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
};

/** What the projectors say about runs, heard over one connection, which is made when somebody first asks. */
export function openRunChanges(databaseUrl: string, onLost: (error: unknown) => void): RunChanges {
  const waiting = new Map<string, Set<() => void>>();
  let listener: { close: () => Promise<void> } | undefined;
  const onNotification = (payload?: string) => {
    for (const runId of payload?.split(' ') ?? waiting.keys()) for (const wake of waiting.get(runId) ?? []) wake();
  };
  return {
    next(runId, signal) {
      listener ??= listenTo(databaseUrl, RUN_CHANGED_CHANNEL, { onNotification, onLost });
      return new Promise((resolve, reject) => {
        const wakes = waiting.get(runId) ?? new Set();
        waiting.set(runId, wakes);
        const leave = () => {
          wakes.delete(wake);
          if (wakes.size === 0 && waiting.get(runId) === wakes) waiting.delete(runId);
          signal.removeEventListener('abort', onAbort);
        };
        const wake = () => {
          leave();
          resolve();
        };
        const onAbort = () => {
          leave();
          reject(signal.reason as Error);
        };
        wakes.add(wake);
        signal.addEventListener('abort', onAbort);
        if (signal.aborted) onAbort();
      });
    },
    async close() {
      await listener?.close();
    },
  };
}
