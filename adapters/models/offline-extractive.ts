import { NO_CAPABILITIES } from '../../domain/models/capabilities.ts';
import type { GenerateRequest, GenerateResult } from '../../domain/models/generation.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import { textOf, userParts } from '../../domain/models/message.ts';
import { unsupported } from './model-error.ts';

export type Condense = (
  input: { source: string; prompt: string; maxTokens: number },
  signal: AbortSignal,
) => Promise<string>;

const PROVIDER = 'offline-extractive';
const MODEL = 'textrank';
const DEFAULT_OUTPUT_TOKENS = 400;

/** Answers with the sentences of `source` that say most about the prompt's topic. It cannot write a sentence of its own. */
export function createOfflineExtractive(condense: Condense): LanguageModel<AbortSignal> {
  const generate = async (request: GenerateRequest, signal: AbortSignal): Promise<GenerateResult> => {
    const { source, maxOutputTokens = DEFAULT_OUTPUT_TOKENS } = request;
    if (source === undefined || source.trim() === '') {
      throw unsupported(PROVIDER, 'it writes no text of its own; give the text to condense as `source`');
    }
    const text = await condense({ source, prompt: promptOf(request), maxTokens: maxOutputTokens }, signal);
    if (text === '') throw unsupported(PROVIDER, `no sentence of the source fits into ${maxOutputTokens} tokens`);
    return { content: [{ type: 'text', text }], model: MODEL, finishReason: 'stop', usage: null };
  };
  return {
    provider: PROVIDER,
    local: true,
    missing: null,
    defaults: { model: MODEL, embeddingModel: null },
    capabilities: () => ({ ...NO_CAPABILITIES, extract: true, stream: true }),
    generate,
    async *stream(request, signal) {
      const result = await generate(request, signal);
      yield { type: 'text', text: result.content.map((part) => (part.type === 'text' ? part.text : '')).join('') };
      yield { type: 'end', result };
    },
    embed: () => Promise.reject(unsupported(PROVIDER, 'it makes no embeddings; offline-lexical does')),
  };
}

function promptOf({ messages }: GenerateRequest): string {
  const last = messages.findLast(({ role }) => role === 'user');
  return last?.role === 'user' ? textOf(userParts(last.content)) : '';
}
