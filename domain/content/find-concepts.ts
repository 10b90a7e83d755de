import type { Concept } from './content-analysis.ts';
import type { Sentence } from './document.ts';
import { compare, phrasesOf, tailsOf, usualSurface } from './phrases.ts';
import { inverse } from './sentence-graph.ts';
import { termsOf } from './terms.ts';

type Candidate = {
  key: string;
  words: number;
  surfaces: string[];
  /** One entry per mention. */
  sentences: number[];
  /** Mentions of longer candidates that contain this one, and how many such candidates there are. */
  within: number;
  longer: number;
};

const MOST_RELATED = 5;

/**
 * Noun phrases by C-value (Frantzi, Ananiadou and Mima 2000), which discounts a phrase that mostly occurs inside a longer one, times
 * the inverse sentence frequency. A concept is mentioned twice at least, unless the text is too short to repeat itself.
 */
export function findConcepts(sentences: readonly Sentence[], most: number): Concept[] {
  const all = candidatesOf(sentences);
  const repeated = all.filter((candidate) => candidate.sentences.length > 1);
  const scored = (repeated.length > 0 ? repeated : all)
    .map((candidate) => ({ candidate, score: scoreOf(candidate, sentences.length) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || compare(a.candidate.key, b.candidate.key))
    .slice(0, most);
  const best = scored[0]?.score ?? 1;
  const chosen = scored.map(({ candidate }) => ({ candidate, name: usualSurface(candidate.surfaces) }));
  return scored.map(({ candidate, score }, at) => ({
    name: chosen[at]!.name,
    relevance: Math.round((score / best) * 10_000) / 10_000,
    mentions: candidate.sentences.length,
    related: relatedTo(candidate, chosen),
  }));
}

function candidatesOf(sentences: readonly Sentence[]): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const phrase of phrasesOf(sentences, termsOf(sentences))) {
    const words = phrase.surface.split(' ');
    tailsOf(phrase.keys).forEach((keys, from) => {
      const key = keys.join(' ');
      const candidate = found.get(key) ?? newCandidate(key, keys.length);
      found.set(key, candidate);
      candidate.surfaces.push(words.slice(from).join(' '));
      candidate.sentences.push(phrase.sentence);
    });
  }
  for (const candidate of found.values()) countWithin(candidate, found);
  return [...found.values()];
}

function newCandidate(key: string, words: number): Candidate {
  return { key, words, surfaces: [], sentences: [], within: 0, longer: 0 };
}

function countWithin(candidate: Candidate, found: ReadonlyMap<string, Candidate>): void {
  for (const tail of tailsOf(candidate.key.split(' ')).slice(1)) {
    const shorter = found.get(tail.join(' '))!;
    shorter.within += candidate.sentences.length;
    shorter.longer += 1;
  }
}

function scoreOf({ words, sentences, within, longer }: Candidate, total: number): number {
  const own = sentences.length - (longer > 0 ? within / longer : 0);
  return Math.log2(words + 1) * own * inverse(total, new Set(sentences).size);
}

/** By Dice's coefficient over the sentences that mention both. */
function relatedTo(candidate: Candidate, chosen: readonly { candidate: Candidate; name: string }[]): string[] {
  const mine = new Set(candidate.sentences);
  return chosen
    .filter((other) => other.candidate !== candidate)
    .map((other) => {
      const theirs = new Set(other.candidate.sentences);
      return { name: other.name, shared: (2 * common(mine, theirs)) / (mine.size + theirs.size) };
    })
    .filter(({ shared }) => shared > 0)
    .toSorted((a, b) => b.shared - a.shared || compare(a.name, b.name))
    .slice(0, MOST_RELATED)
    .map(({ name }) => name);
}

function common(one: ReadonlySet<number>, other: ReadonlySet<number>): number {
  return [...one].filter((item) => other.has(item)).length;
}
