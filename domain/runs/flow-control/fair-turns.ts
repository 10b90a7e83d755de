/**
 * Start-time fair queueing (Goyal, Vin, Cheng 1996): each turn moves the clock of its key by 1/weight, and the key whose clock is
 * least is next. A key that was away starts at the common clock, so nobody saves up turns.
 */
export type Turns = { clock: number; served: ReadonlyMap<string, number> };

export const NO_TURNS: Turns = { clock: 0, served: new Map() };

/** The place of the key's next turn; the least is next. */
export function turnOf(turns: Turns, key: string): number {
  return Math.max(turns.clock, turns.served.get(key) ?? 0);
}

export function takeTurn(turns: Turns, { key, weight }: { key: string; weight: number }): Turns {
  const start = turnOf(turns, key);
  return { clock: Math.max(turns.clock, start), served: new Map(turns.served).set(key, start + 1 / weight) };
}
