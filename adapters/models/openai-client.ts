import OpenAI, { APIConnectionError, APIError, APIUserAbortError } from 'openai';
import type { AppError } from '../../domain/errors.ts';
import type { EmbedRequest, EmbedResult, GenerateRequest, TokenUsage } from '../../domain/models/generation.ts';
import { modelError, rootMessage, unavailable } from './model-error.ts';

/** The activity's own timeouts come first. */
export const LONGEST_CALL_MS = 3_600_000;

/** Everything the SDK would read from the environment is given, so that only the settings count. */
export function createOpenAiClient(apiKey: string | null, baseURL: string): OpenAI {
  return new OpenAI({
    apiKey: apiKey ?? 'none',
    baseURL,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: LONGEST_CALL_MS,
    logLevel: 'off',
  });
}

/** The key goes as a header of its own: the SDK leaves its option `idempotencyKey` unsent. */
export const callOptions = ({ idempotencyKey }: GenerateRequest, signal: AbortSignal) => ({
  signal,
  ...(idempotencyKey === undefined ? {} : { headers: { 'Idempotency-Key': idempotencyKey } }),
});

export const openAiError =
  (provider: string) =>
  (error: unknown): AppError => {
    if (error instanceof APIConnectionError || error instanceof APIUserAbortError) {
      return unavailable(provider, rootMessage(error), error);
    }
    if (!(error instanceof APIError))
      return unavailable(provider, `the answer is not understood: ${rootMessage(error)}`, error);
    const { status, headers, code, type, message } = error;
    const words = [code, type].filter((word) => typeof word === 'string' && word !== '').join(' ');
    return modelError(provider, { status, code: words, message, header: (name) => headers?.get(name) }, error);
  };

export function openAiUsage(usage: OpenAI.CompletionUsage): TokenUsage {
  return {
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
    cacheReadTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    cacheWriteTokens: 0,
    reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
  };
}

export async function openAiEmbed(
  client: OpenAI,
  { model, texts, dimensions }: EmbedRequest,
  signal: AbortSignal,
): Promise<EmbedResult> {
  const answer = await client.embeddings.create(
    { model, input: texts, encoding_format: 'float', ...(dimensions === undefined ? {} : { dimensions }) },
    { signal },
  );
  return {
    embeddings: answer.data.toSorted((a, b) => a.index - b.index).map(({ embedding }) => embedding),
    model: answer.model,
    usage: answer.usage
      ? {
          inputTokens: answer.usage.prompt_tokens,
          outputTokens: 0,
          cacheReadTokens: 0,
          cacheWriteTokens: 0,
          reasoningTokens: 0,
        }
      : null,
  };
}
