import { type ModelCapabilities, NO_CAPABILITIES } from '../../domain/models/capabilities.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import { createOpenAiClient } from './openai-client.ts';
import { createChatModel } from './openai-chat.ts';

export type CompatibleOptions = {
  provider: string;
  /** Up to and including `/v1`; null when the provider is not set up. */
  baseUrl: string | null;
  /** What to set where it is not. */
  missing?: string;
  apiKey?: string | null;
  model: string;
  embeddingModel?: string | null;
  maxOutputTokens: number;
  /** What its models can do otherwise than most. */
  capabilities?: Partial<ModelCapabilities>;
};

/** Any server that speaks chat completions: Ollama, vLLM, llama.cpp, LM Studio, Groq, Mistral, OpenRouter and others. */
export function createOpenAiCompatible(options: CompatibleOptions): LanguageModel<AbortSignal> {
  const { provider, baseUrl, missing = 'its address is not set', apiKey = null, maxOutputTokens } = options;
  const client = createOpenAiClient(apiKey, baseUrl ?? 'http://unset.invalid/v1');
  const embeddingModel = options.embeddingModel ?? null;
  return createChatModel({
    provider,
    missing: baseUrl === null ? missing : null,
    clientOf: () => client,
    defaults: { model: options.model, embeddingModel },
    maxOutputTokens,
    limitField: 'max_tokens',
    capabilities: (model) =>
      model === embeddingModel || /embed/.test(model)
        ? { ...NO_CAPABILITIES, embed: true }
        : { ...USUAL, ...options.capabilities },
  });
}

const USUAL: ModelCapabilities = {
  ...NO_CAPABILITIES,
  generate: true,
  extract: true,
  stream: true,
  tools: true,
  images: true,
  schema: 'native',
};
