import type { Sentence } from './document.ts';
import type { Term } from './terms.ts';

export type Phrase = {
  /** Keys of its words, joined by a space. */
  key: string;
  keys: string[];
  /** As the text writes it here. */
  surface: string;
  sentence: number;
};

const LONGEST_PHRASE = 4;

/** Noun phrases as they occur: runs of adjectives and nouns that end in a noun; single words where nothing is tagged. */
export function phrasesOf(sentences: readonly Sentence[], terms: readonly (readonly (Term | null)[])[]): Phrase[] {
  return sentences.flatMap((sentence, at) => runsOf(sentence, terms[at]!).map((run) => ({ ...run, sentence: at })));
}

function runsOf(sentence: Sentence, terms: readonly (Term | null)[]): Omit<Phrase, 'sentence'>[] {
  const found: Omit<Phrase, 'sentence'>[] = [];
  let run: number[] = [];
  const close = () => {
    while (run.length > 0 && sentence.tokens[run.at(-1)!]!.partOfSpeech === 'ADJ') run.pop();
    if (run.length > 0) found.push(phrase(sentence, terms, run.slice(-LONGEST_PHRASE)));
    run = [];
  };
  terms.forEach((term, at) => {
    const tagged = sentence.tokens[at]!.partOfSpeech !== 'X';
    if (!term?.nominal || !tagged) close();
    if (term?.nominal) run.push(at);
  });
  close();
  return found;
}

function phrase(sentence: Sentence, terms: readonly (Term | null)[], run: readonly number[]): Omit<Phrase, 'sentence'> {
  const keys = run.map((at) => terms[at]!.key);
  return { key: keys.join(' '), keys, surface: run.map((at) => sentence.tokens[at]!.text).join(' ') };
}

/** The phrase itself, then what is left without its first word, its first two, and so on: the head noun stays. */
export function tailsOf(keys: readonly string[]): string[][] {
  return keys.map((_, from) => keys.slice(from));
}

/** The most frequent spelling; ties go to the one that sorts first. */
export function usualSurface(surfaces: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const surface of surfaces) counts.set(surface, (counts.get(surface) ?? 0) + 1);
  return [...counts].toSorted(([a, n], [b, m]) => m - n || compare(a, b))[0]![0];
}

/** By code unit, the same in every locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
