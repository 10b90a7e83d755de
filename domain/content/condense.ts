import { estimateTokens } from '../models/estimate-tokens.ts';
import type { Sentence } from './document.ts';
import { selectSentences } from './select-sentences.ts';
import { termsOf } from './terms.ts';

/** Words of an instruction that say what to do, not what about. */
const INSTRUCTION_WORDS = new Set(
  (
    'write summarize summarise summary summarization condense shorten brief briefing research answer explain describe list extract ' +
    'text source document article passage paragraph sentence bullet following provide produce create please reader audience result ' +
    'output response style tone draft report overview main key focus topic language english plain concise short concern'
  ).split(' '),
);

/** Topic terms of a prompt. */
export function focusOf(prompt: readonly Sentence[]): string[] {
  const keys = termsOf(prompt).flatMap((row) => row.flatMap((term) => (term ? [term.key] : [])));
  return [...new Set(keys)].filter((key) => !INSTRUCTION_WORDS.has(key));
}

/** The sentences of `source` that say most about `focus` within the budget. Only neighbours share a paragraph: a gap must show. */
export function condense(source: readonly Sentence[], focus: readonly string[], maxTokens: number): string {
  const places = new Map(source.map((sentence, at) => [sentence, at]));
  const joined = (sentences: readonly Sentence[]) =>
    sentences.reduce((text, sentence, at) => {
      const before = sentences[at - 1];
      if (!before) return sentence.text;
      const adjacent = before.block === sentence.block && places.get(before)! + 1 === places.get(sentence)!;
      return text + (adjacent ? ' ' : '\n\n') + sentence.text;
    }, '');
  const fits = (sentence: Sentence, taken: readonly Sentence[]) =>
    estimateTokens(joined([...taken, sentence])) <= maxTokens;
  return joined(selectSentences(source, { focus, fits }));
}
