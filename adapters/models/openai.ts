import type { LanguageModel } from '../../domain/models/language-model.ts';
import { createOpenAiClient } from './openai-client.ts';
import { openAiCapabilities } from './openai-capabilities.ts';
import { createChatModel } from './openai-chat.ts';

export type OpenAiOptions = {
  apiKey: string | null;
  /** An OpenAI-compatible server, up to and including `/v1`. Null: OpenAI itself. */
  baseUrl: string | null;
  /** For requests that name no model. */
  model: string;
  embeddingModel: string;
  /** For requests that name no limit. */
  maxOutputTokens: number;
};

export const OPENAI_URL = 'https://api.openai.com/v1';

/** Chat completions. Never retries by itself: Temporal owns retries. */
export function createOpenAi({
  apiKey,
  baseUrl,
  model,
  embeddingModel,
  maxOutputTokens,
}: OpenAiOptions): LanguageModel<AbortSignal> {
  const client = createOpenAiClient(apiKey, baseUrl ?? OPENAI_URL);
  return createChatModel({
    provider: 'openai',
    missing: apiKey === null && baseUrl === null ? 'OPENAI_API_KEY is not set' : null,
    clientOf: () => client,
    defaults: { model, embeddingModel },
    maxOutputTokens,
    limitField: baseUrl === null ? 'max_completion_tokens' : 'max_tokens',
    capabilities: openAiCapabilities,
  });
}
