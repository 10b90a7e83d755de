import OpenAI, { APIConnectionError, APIError, APIUserAbortError } from 'openai';
import { AppError, type ErrorFields } from '../../domain/errors.ts';
import type { CompletionRequest, CompletionResult, LanguageModel } from '../../domain/models/language-model.ts';
import { retryAfterMs } from '../../domain/tools/retry-after.ts';

export type OpenAiOptions = {
  apiKey: string | null;
  /** An OpenAI-compatible server, up to and including `/v1`. Null: OpenAI itself. */
  baseUrl: string | null;
  /** For requests that name no model. */
  model: string;
  /** For requests that name no limit. */
  maxOutputTokens: number;
};

const PROVIDER = 'openai';
const OPENAI_URL = 'https://api.openai.com/v1';
const FINISH_REASONS: { readonly [reason: string]: CompletionResult['finishReason'] } = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content-filter',
};

/** Chat completions. Never retries by itself: Temporal owns retries. */
export function createOpenAi(options: OpenAiOptions): LanguageModel<AbortSignal> {
  const client = clientOf(options);
  return {
    provider: PROVIDER,
    complete: async (request, signal) => {
      if (!client) throw new AppError('MODEL_UNSUPPORTED', { provider: PROVIDER, detail: 'OPENAI_API_KEY is not set' });
      try {
        const answer = await client.chat.completions.create(requestBody(request, options), {
          signal,
          ...(request.idempotencyKey === undefined ? {} : { idempotencyKey: request.idempotencyKey }),
        });
        return resultOf(answer);
      } catch (error) {
        signal.throwIfAborted();
        throw translated(error);
      }
    },
  };
}

/** Everything the SDK would read from the environment is given, so that only the settings count. */
function clientOf({ apiKey, baseUrl }: OpenAiOptions): OpenAI | null {
  if (apiKey === null && baseUrl === null) return null;
  return new OpenAI({
    apiKey: apiKey ?? 'none',
    baseURL: baseUrl ?? OPENAI_URL,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: 'off',
  });
}

function requestBody(
  request: CompletionRequest,
  { baseUrl, model, maxOutputTokens }: OpenAiOptions,
): OpenAI.ChatCompletionCreateParamsNonStreaming {
  const limit = request.maxOutputTokens ?? maxOutputTokens;
  return {
    model: request.model ?? model,
    messages: [
      ...(request.system === undefined ? [] : [{ role: 'system' as const, content: request.system }]),
      { role: 'user', content: userMessage(request) },
    ],
    // OpenAI's newer models refuse `max_tokens`; many compatible servers know nothing else.
    ...(baseUrl === null ? { max_completion_tokens: limit } : { max_tokens: limit }),
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
  };
}

function userMessage({ prompt, source }: CompletionRequest): string {
  return source === undefined ? prompt : `${prompt}\n\n<source>\n${source}\n</source>`;
}

function resultOf({ choices, model, usage }: OpenAI.ChatCompletion): CompletionResult {
  const choice = choices?.[0];
  if (!choice) throw unavailable('the answer has no choices');
  return {
    text: choice.message.content ?? choice.message.refusal ?? '',
    model,
    finishReason: FINISH_REASONS[choice.finish_reason] ?? 'other',
    usage: usage ? { inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens } : null,
  };
}

function translated(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof APIConnectionError || error instanceof APIUserAbortError) {
    return unavailable(causeOf(error), error);
  }
  if (!(error instanceof APIError) || error.status === undefined)
    return unavailable('the answer is not understood', error);
  const wait = retryAfterMs(error.headers?.get('retry-after'), Date.now());
  const waiting = wait === undefined ? {} : { retryAfterMs: wait };
  if (error.status === 401 || error.status === 403) return failure('MODEL_AUTH', {}, error);
  if (error.status === 429) return failure('MODEL_RATE_LIMITED', waiting, error);
  if (error.status === 408 || error.status === 409 || error.status >= 500)
    return unavailable(error.message, error, { ...waiting, httpStatus: error.status });
  return failure('MODEL_BAD_REQUEST', { detail: error.message }, error);
}

/** The SDK hides the system's own words, such as ECONNREFUSED, some causes down. */
function causeOf(error: { message?: string | undefined; code?: string | null | undefined; cause?: unknown }): string {
  const { message, code, cause } = error;
  return typeof cause === 'object' && cause !== null ? causeOf(cause) : message || code || 'the connection failed';
}

function unavailable(detail: string, cause?: unknown, fields: ErrorFields = {}): AppError {
  return failure('MODEL_UNAVAILABLE', { detail, ...fields }, cause);
}

function failure(
  code: 'MODEL_AUTH' | 'MODEL_BAD_REQUEST' | 'MODEL_RATE_LIMITED' | 'MODEL_UNAVAILABLE',
  fields: ErrorFields,
  cause: unknown,
): AppError {
  return new AppError(code, { provider: PROVIDER, ...fields }, cause);
}
