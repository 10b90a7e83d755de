import type { McpBalancing } from './mcp-server.ts';

/** What is known of one replica at the moment of a call. */
export type Replica = {
  url: string;
  weight: number;
  /** Calls under way. */
  active: number;
  /** Failed probes or calls one after the other. */
  failures: number;
  /** Exponentially weighted, in ms; null before the first answer. */
  latencyMs: number | null;
  /** Its breaker is open: it gets nothing. */
  open: boolean;
};

/** Failures weigh more than any latency that a healthy replica has. */
const FAILURE_MS = 10_000;

/**
 * The index of the replica that a call goes to; the healthy ones first, all when none is. `turn` counts the calls so far, `random`
 * is in [0, 1).
 */
export function chooseReplica(
  balancing: McpBalancing,
  replicas: readonly Replica[],
  { turn, random }: { turn: number; random: number },
): number {
  const closed = replicas.flatMap((replica, index) => (replica.open ? [] : [index]));
  const among = closed.length > 0 ? closed : replicas.map((_, index) => index);
  const least = (cost: (replica: Replica) => number): number =>
    among.reduce((best, index) => (cost(replicas[index]!) < cost(replicas[best]!) ? index : best), among[0] ?? 0);
  switch (balancing) {
    case 'round_robin':
      return among[turn % among.length] ?? 0;
    case 'least_connections':
      return least(({ active, weight }) => active / weight);
    case 'weighted':
      return weighted(replicas, among, random);
    case 'health':
      return least(
        ({ failures, latencyMs, active }) => failures * FAILURE_MS + (latencyMs ?? 0) * (1 + active) + active,
      );
  }
}

function weighted(replicas: readonly Replica[], among: readonly number[], random: number): number {
  const total = among.reduce((sum, index) => sum + replicas[index]!.weight, 0);
  let left = random * total;
  for (const index of among) {
    left -= replicas[index]!.weight;
    if (left < 0) return index;
  }
  return among.at(-1) ?? 0;
}
