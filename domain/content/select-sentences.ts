import type { Sentence } from './document.ts';
import { rankSentences, type RankedSentence } from './rank-sentences.ts';
import { wordsOf } from './readability.ts';
import { similarity } from './sentence-graph.ts';

export type Selection = {
  /** Terms to lean towards. */
  focus?: readonly string[];
  /** Whether a sentence may still be taken beside those already taken. */
  fits: (sentence: Sentence, taken: readonly Sentence[]) => boolean;
};

const SHORTEST = 6;
const LONGEST = 60;
/** Only the best compete on novelty, which keeps long texts quick. */
const CANDIDATES = 300;
/** Weight of novelty against rank (maximal marginal relevance, Carbonell and Goldstein 1998). */
const NOVELTY = 0.35;
/** From this cosine on, two sentences say the same. */
const REPETITION = 0.9;

/** The most central sentences that do not repeat one another, in reading order. Ties go to the earlier sentence. */
export function selectSentences(sentences: readonly Sentence[], selection: Selection): Sentence[] {
  let open = candidates(sentences, rankSentences(sentences, selection.focus)).map((ranked) => ({ ranked, nearest: 0 }));
  const taken: number[] = [];
  const sentencesAt = (indexes: readonly number[]) => indexes.map((index) => sentences[index]!);
  for (;;) {
    const soFar = sentencesAt(taken);
    open = open.filter(({ ranked }) => selection.fits(sentences[ranked.index]!, soFar));
    const best = mostMerit(open);
    if (!best) return sentencesAt(taken.toSorted((a, b) => a - b));
    taken.push(best.ranked.index);
    open = open
      .filter((candidate) => candidate !== best)
      .map(({ ranked, nearest }) => ({
        ranked,
        nearest: Math.max(nearest, similarity(ranked.vector, best.ranked.vector)),
      }))
      .filter(({ nearest }) => nearest < REPETITION);
  }
}

function candidates(sentences: readonly Sentence[], ranked: readonly RankedSentence[]): RankedSentence[] {
  const prose = ranked.filter(({ index }) => !sentences[index]!.heading);
  const wellSized = prose.filter(({ index }) => {
    const length = wordsOf(sentences[index]!.text).length;
    return length >= SHORTEST && length <= LONGEST;
  });
  const pool = [wellSized, prose, ranked].find((list) => list.length > 0) ?? [];
  return pool.toSorted((a, b) => b.score - a.score || a.index - b.index).slice(0, CANDIDATES);
}

type Candidate = { ranked: RankedSentence; nearest: number };

function mostMerit(open: readonly Candidate[]): Candidate | undefined {
  const merit = ({ ranked, nearest }: Candidate) => (1 - NOVELTY) * ranked.score - NOVELTY * nearest;
  return open.reduce<Candidate | undefined>((best, next) => {
    const gain = best ? merit(next) - merit(best) : 1;
    return gain > 0 || (gain === 0 && next.ranked.index < best!.ranked.index) ? next : best;
  }, undefined);
}
