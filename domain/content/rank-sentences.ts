import type { Sentence } from './document.ts';
import { pageRank } from './page-rank.ts';
import { inverse, sentenceGraph, sentenceVectors, type SentenceVector } from './sentence-graph.ts';
import { termsOf } from './terms.ts';

export type RankedSentence = { index: number; score: number; vector: SentenceVector };

/** How much of the score a focus takes; the rest is how central the sentence is. */
const FOCUS_SHARE = 0.6;

/**
 * Every sentence with its score, 0..1, in reading order: TextRank over TF-IDF cosine, drawn towards `focus` terms where some are
 * given and the text has any of them.
 */
export function rankSentences(sentences: readonly Sentence[], focus: readonly string[] = []): RankedSentence[] {
  const keys = termsOf(sentences).map((row) => row.flatMap((term) => (term ? [term.key] : [])));
  const vectors = sentenceVectors(keys);
  const relevance = focusRelevance(keys, new Set(focus));
  const graph = sentenceGraph(vectors);
  const focused = relevance.some((value) => value > 0);
  const central = relative(pageRank(graph, focused ? relevance.map((value) => value + 0.01) : undefined));
  return central.map((score, index) => ({
    index,
    score: focused ? (1 - FOCUS_SHARE) * score + FOCUS_SHARE * relevance[index]! : score,
    vector: vectors[index]!,
  }));
}

/** Rare focus terms count for more; repeating one within a sentence does not. */
function focusRelevance(sentences: readonly (readonly string[])[], focus: ReadonlySet<string>): number[] {
  const spread = new Map<string, number>();
  const hits = sentences.map((keys) => [...new Set(keys)].filter((key) => focus.has(key)));
  for (const keys of hits) for (const key of keys) spread.set(key, (spread.get(key) ?? 0) + 1);
  const weights = hits.map((keys) => keys.reduce((sum, key) => sum + inverse(sentences.length, spread.get(key)!), 0));
  return relative(weights);
}

function relative(values: readonly number[]): number[] {
  const most = values.reduce((max, value) => Math.max(max, value), 0);
  return values.map((value) => (most > 0 ? value / most : 0));
}
