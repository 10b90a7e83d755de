import type { Keyword } from './content-analysis.ts';
import type { Sentence } from './document.ts';
import { pageRank, type Edge } from './page-rank.ts';
import { compare, phrasesOf, usualSurface, type Phrase } from './phrases.ts';
import { termsOf, type Term } from './terms.ts';

/** Words this close are joined in the graph. */
const WINDOW = 4;

/** Words and phrases by TextRank: a word matters when it stands near words that matter; a phrase by the mean of its words, and how often it occurs. */
export function rankKeywords(sentences: readonly Sentence[], most: number): Keyword[] {
  const terms = termsOf(sentences);
  const ranks = wordRanks(terms);
  const scored = [...groupByKey(phrasesOf(sentences, terms))]
    .map(([key, phrases]) => ({
      key,
      text: usualSurface(phrases.map((phrase) => phrase.surface)),
      score: phraseScore(phrases, ranks),
    }))
    .toSorted((a, b) => b.score - a.score || compare(a.key, b.key));
  const best = scored[0]?.score ?? 1;
  return scored
    .slice(0, most)
    .map(({ text, score }) => ({ text, score: Math.round((score / best) * 10_000) / 10_000 }));
}

function phraseScore(phrases: readonly Phrase[], ranks: ReadonlyMap<string, number>): number {
  const { keys } = phrases[0]!;
  const mean = keys.reduce((sum, key) => sum + ranks.get(key)!, 0) / keys.length;
  return mean * Math.sqrt(keys.length) * Math.log2(1 + phrases.length);
}

function wordRanks(terms: readonly (readonly (Term | null)[])[]): Map<string, number> {
  const rows = terms.map((row) => row.flatMap((term) => (term?.nominal ? [term.key] : [])));
  const words = [...new Set(rows.flat())].toSorted(compare);
  const at = new Map(words.map((word, index) => [word, index]));
  const weights = words.map(() => new Map<number, number>());
  const join = (one: number, other: number) => weights[one]!.set(other, (weights[one]!.get(other) ?? 0) + 1);
  for (const row of rows) {
    row.forEach((word, position) => {
      for (const near of row.slice(position + 1, position + WINDOW)) {
        if (near === word) continue;
        join(at.get(word)!, at.get(near)!);
        join(at.get(near)!, at.get(word)!);
      }
    });
  }
  const graph: Edge[][] = weights.map((row) => [...row].map(([to, weight]) => ({ to, weight })));
  return new Map(pageRank(graph).map((rank, index) => [words[index]!, rank]));
}

function groupByKey(phrases: readonly Phrase[]): Map<string, Phrase[]> {
  const groups = new Map<string, Phrase[]>();
  for (const phrase of phrases) groups.set(phrase.key, [...(groups.get(phrase.key) ?? []), phrase]);
  return groups;
}
