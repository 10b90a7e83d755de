import { AppError } from '../../domain/errors.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';

export type Condense = (
  input: { source: string; prompt: string; maxTokens: number },
  signal: AbortSignal,
) => Promise<string>;

const PROVIDER = 'offline-extractive';
const MODEL = 'textrank';
const DEFAULT_OUTPUT_TOKENS = 400;

/** Answers with the sentences of `source` that say most about the prompt's topic. It cannot write a sentence of its own. */
export function createOfflineExtractive(condense: Condense): LanguageModel<AbortSignal> {
  return {
    provider: PROVIDER,
    local: true,
    complete: async ({ prompt, source, maxOutputTokens = DEFAULT_OUTPUT_TOKENS }, signal) => {
      if (source === undefined || source.trim() === '') {
        throw unsupported('it writes no text of its own; give the text to condense as `source`');
      }
      const text = await condense({ source, prompt, maxTokens: maxOutputTokens }, signal);
      if (text === '') throw unsupported(`no sentence of the source fits into ${maxOutputTokens} tokens`);
      return { text, model: MODEL, finishReason: 'stop', usage: null };
    },
  };
}

function unsupported(detail: string): AppError {
  return new AppError('MODEL_UNSUPPORTED', { provider: PROVIDER, detail });
}
