import type { Edge } from './page-rank.ts';

/** Unit-length TF-IDF vector of a sentence. */
export type SentenceVector = ReadonlyMap<string, number>;

/** A term in more sentences than this joins everything to everything and is left out of the graph. */
const MOST_SENTENCES = 120;
const NEIGHBOURS = 20;

export function sentenceVectors(sentences: readonly (readonly string[])[]): SentenceVector[] {
  const spread = new Map<string, number>();
  for (const keys of sentences) for (const key of new Set(keys)) spread.set(key, (spread.get(key) ?? 0) + 1);
  return sentences.map((keys) => {
    const vector = new Map<string, number>();
    for (const key of keys) vector.set(key, (vector.get(key) ?? 0) + inverse(sentences.length, spread.get(key)!));
    const length = Math.hypot(...vector.values());
    for (const [key, weight] of vector) vector.set(key, weight / length);
    return vector;
  });
}

export function inverse(total: number, containing: number): number {
  return Math.log(1 + total / containing);
}

export function similarity(one: SentenceVector, other: SentenceVector): number {
  const [small, large] = one.size <= other.size ? [one, other] : [other, one];
  let sum = 0;
  for (const [key, weight] of small) sum += weight * (large.get(key) ?? 0);
  return sum;
}

/**
 * Each sentence with its nearest neighbours by cosine. Walks an inverted index instead of all pairs: the work grows with the number
 * of sentences, because no term has more than MOST_SENTENCES of them.
 */
export function sentenceGraph(vectors: readonly SentenceVector[]): Edge[][] {
  const index = new Map<string, number[]>();
  vectors.forEach((vector, at) => {
    for (const key of vector.keys()) {
      const sharing = index.get(key);
      if (sharing) sharing.push(at);
      else index.set(key, [at]);
    }
  });
  return symmetric(vectors.map((vector, at) => nearest(vector, at, vectors, index)));
}

function nearest(
  vector: SentenceVector,
  at: number,
  vectors: readonly SentenceVector[],
  index: ReadonlyMap<string, readonly number[]>,
): Edge[] {
  const sums = new Map<number, number>();
  for (const [key, weight] of vector) {
    const sharing = index.get(key)!;
    if (sharing.length > MOST_SENTENCES) continue;
    for (const to of sharing) if (to !== at) sums.set(to, (sums.get(to) ?? 0) + weight * vectors[to]!.get(key)!);
  }
  return [...sums]
    .map(([to, sum]) => ({ to, weight: sum }))
    .toSorted((a, b) => b.weight - a.weight || a.to - b.to)
    .slice(0, NEIGHBOURS);
}

function symmetric(graph: readonly Edge[][]): Edge[][] {
  const rows = graph.map((edges) => new Map(edges.map((edge) => [edge.to, edge.weight])));
  graph.forEach((edges, from) => edges.forEach(({ to, weight }) => rows[to]!.set(from, weight)));
  return rows.map((row) => [...row].toSorted(([a], [b]) => a - b).map(([to, weight]) => ({ to, weight })));
}
