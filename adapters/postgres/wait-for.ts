/** Until somebody wakes those who wait for the key. Rejects with the signal's reason. */
export function waitFor(waiting: Map<string, Set<() => void>>, key: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const wakes = waiting.get(key) ?? new Set();
    waiting.set(key, wakes);
    const leave = () => {
      wakes.delete(wake);
      if (wakes.size === 0 && waiting.get(key) === wakes) waiting.delete(key);
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
}
