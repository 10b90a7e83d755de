import { GENERIC_WORDS } from './generic-words.ts';
import type { Sentence, Token } from './document.ts';

/** A word that may carry a topic, under the key that its inflections share. */
export type Term = { key: string; nominal: boolean };

const CONTENT = new Set(['NOUN', 'PROPN', 'ADJ', 'VERB', 'X']);
const NOMINAL = new Set(['NOUN', 'PROPN', 'ADJ', 'X']);

/** One entry per token of each sentence; null where the token carries no topic. */
export function termsOf(sentences: readonly Sentence[]): (Term | null)[][] {
  const terms = sentences.map((sentence) => sentence.tokens.map(termOf));
  const known = new Set(terms.flat().flatMap((term) => (term ? [term.key] : [])));
  return terms.map((row) => row.map((term) => term && { ...term, key: singular(term.key, known) }));
}

function termOf(token: Token): Term | null {
  if (!token.word || token.stop || token.lemma.length < 2 || !CONTENT.has(token.partOfSpeech)) return null;
  const key = /^[\p{L}]/u.test(token.lemma) ? token.lemma : token.text.toLowerCase();
  return GENERIC_WORDS.has(key) ? null : { key, nominal: NOMINAL.has(token.partOfSpeech) };
}

/** Taggers leave capitalised plurals alone; they fold only into a singular that the text itself uses. */
function singular(key: string, known: ReadonlySet<string>): string {
  if (!key.endsWith('s')) return key;
  const candidates = [key.slice(0, -1), key.slice(0, -2), `${key.slice(0, -3)}y`];
  const endings = ['s', 'es', 'ies'];
  for (const [index, candidate] of candidates.entries()) {
    if (key.endsWith(endings[index]!) && candidate.length > 2 && known.has(candidate)) return candidate;
  }
  return key;
}
