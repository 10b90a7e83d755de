export type ShareInFlight<Answer> = (key: string, ask: () => Promise<Answer>) => Promise<Answer>;

/**
 * Asks once for what several want at the same time; each key must hold everything that the answer depends on.
 * `onShared` hears of each that was spared.
 */
export function shareInFlight<Answer>(onShared: () => void): ShareInFlight<Answer> {
  const inFlight = new Map<string, Promise<Answer>>();
  return (key, ask) => {
    const known = inFlight.get(key);
    if (known !== undefined) {
      onShared();
      return known;
    }
    const asked = ask().finally(() => inFlight.delete(key));
    inFlight.set(key, asked);
    return asked;
  };
}
