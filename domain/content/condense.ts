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

/** The sentences of `source` that say most about `focus` within the budget; sentences of one block stay one paragraph. */
export function condense(source: readonly Sentence[], focus: readonly string[], maxTokens: number): string {
  const chosen = selectSentences(source, {
    focus,
    fits: (sentence, taken) => estimateTokens(joined([...taken, sentence])) <= maxTokens,
  });
  return joined(chosen);
}

function joined(sentences: readonly Sentence[]): string {
  return sentences.reduce((text, sentence, at) => {
    if (at === 0) return sentence.text;
    return text + (sentence.block === sentences[at - 1]!.block ? ' ' : '\n\n') + sentence.text;
  }, '');
}
