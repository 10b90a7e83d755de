export type Edge = { to: number; weight: number };

const DAMPING = 0.85;
const ITERATIONS = 60;
const TOLERANCE = 1e-7;

/**
 * Weighted PageRank (Mihalcea and Tarau 2004). `restart` is where the walk begins anew, the same everywhere unless given; both it
 * and the answer sum to 1. Sums run in index order, so the same graph always gives the same bits.
 */
export function pageRank(graph: readonly (readonly Edge[])[], restart?: readonly number[]): number[] {
  const size = graph.length;
  const base = normalized(restart ?? graph.map(() => 1));
  const totals = graph.map((edges) => edges.reduce((sum, edge) => sum + edge.weight, 0));
  let ranks = base;
  for (let round = 0; round < ITERATIONS; round += 1) {
    const next = base.map(() => 0);
    let stranded = 0;
    graph.forEach((edges, from) => {
      const total = totals[from]!;
      if (total === 0) stranded += ranks[from]!;
      else for (const { to, weight } of edges) next[to]! += (ranks[from]! * weight) / total;
    });
    for (let i = 0; i < size; i += 1) next[i] = base[i]! * (1 - DAMPING + DAMPING * stranded) + DAMPING * next[i]!;
    const change = next.reduce((sum, rank, i) => sum + Math.abs(rank - ranks[i]!), 0);
    ranks = next;
    if (change < TOLERANCE) break;
  }
  return ranks;
}

function normalized(values: readonly number[]): number[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => (total > 0 ? value / total : 1 / values.length));
}
