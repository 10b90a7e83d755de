import type { LanguageModel } from '../../domain/models/language-model.ts';
import { createOpenAiCompatible } from './openai-compatible.ts';

export type OllamaOptions = {
  /** Such as http://127.0.0.1:11434. */
  baseUrl: string | null;
  model: string;
  embeddingModel: string;
  maxOutputTokens: number;
};

const VISION = /llava|vision|-vl|vl:|moondream|minicpm-v|gemma-?[34]|llama4|mistral-small3/i;
const THINKING = /deepseek-r1|qwq|qwen3|gpt-oss|magistral/i;

/** A model server on one's own machine. */
export function createOllama({
  baseUrl,
  model,
  embeddingModel,
  maxOutputTokens,
}: OllamaOptions): LanguageModel<AbortSignal> {
  const compatible = createOpenAiCompatible({
    provider: 'ollama',
    baseUrl: baseUrl === null ? null : `${baseUrl.replace(/\/+$/, '')}/v1`,
    missing: 'OLLAMA_BASE_URL is not set',
    model,
    embeddingModel,
    maxOutputTokens,
  });
  return {
    ...compatible,
    capabilities: (name) => {
      const can = compatible.capabilities(name);
      return can.embed ? can : { ...can, images: VISION.test(name), reasoning: THINKING.test(name) };
    },
  };
}
