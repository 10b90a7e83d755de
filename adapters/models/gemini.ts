import { randomUUID } from 'node:crypto';
import {
  ApiError,
  FunctionCallingConfigMode,
  type GenerateContentConfig,
  type GenerateContentResponse,
  GoogleGenAI,
  type ThinkingConfig,
  ThinkingLevel,
} from '@google/genai';
import { AppError } from '../../domain/errors.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { type ModelCapabilities, NO_CAPABILITIES } from '../../domain/models/capabilities.ts';
import type { FinishReason, GenerateRequest, StreamPart } from '../../domain/models/generation.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import { type AnswerBuilder, createAnswerBuilder, wholeAnswer } from './answer-builder.ts';
import { geminiContents, OWN_ID } from './gemini-contents.ts';
import { modelError, rootMessage, unavailable } from './model-error.ts';
import { sealFor } from './opaque.ts';
import { LONGEST_CALL_MS } from './openai-client.ts';
import { THINKING_TOKENS } from './thinking-budget.ts';
import { languageModel } from './vendor-model.ts';

export type GeminiOptions = {
  apiKey: string | null;
  /** Null: Google itself. */
  baseUrl: string | null;
  model: string;
  embeddingModel: string;
  maxOutputTokens: number;
};

const PROVIDER = 'gemini';
const FILTERED = new Set(['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'IMAGE_SAFETY']);

export function createGemini({
  apiKey,
  baseUrl,
  model,
  embeddingModel,
  maxOutputTokens,
}: GeminiOptions): LanguageModel<AbortSignal> {
  const client = new GoogleGenAI({
    apiKey: apiKey ?? 'none',
    vertexai: false,
    // Schemas and thoughts are not in v1.
    apiVersion: 'v1beta',
    httpOptions: { timeout: LONGEST_CALL_MS, baseUrl: baseUrl ?? 'https://generativelanguage.googleapis.com' },
  });
  return languageModel({
    provider: PROVIDER,
    missing: apiKey === null && baseUrl === null ? 'GEMINI_API_KEY is not set' : null,
    defaults: { model, embeddingModel },
    capabilities: geminiCapabilities,
    translate: (error) => geminiError(error, null),
    generate: (request, signal) =>
      withRetryAfter(async (http) => {
        const answer = await client.models.generateContent(
          contentRequest(request, maxOutputTokens, { ...http, abortSignal: signal }),
        );
        const builder = createAnswerBuilder(PROVIDER, request);
        for (const part of readResponse(builder, answer)) void part;
        return wholeAnswer(builder);
      }),
    async *stream(request, signal) {
      const answers = await withRetryAfter((http) =>
        client.models.generateContentStream(contentRequest(request, maxOutputTokens, { ...http, abortSignal: signal })),
      );
      const builder = createAnswerBuilder(PROVIDER, request);
      for await (const answer of answers) yield* readResponse(builder, answer);
      yield* builder.end();
    },
    embed: ({ model: name, texts, dimensions }, signal) =>
      withRetryAfter(async (http) => {
        const size = dimensions === undefined ? {} : { outputDimensionality: dimensions };
        const embeddings: number[][] = [];
        for (const contents of batchesOf(name, texts)) {
          const answer = await client.models.embedContent({
            model: name,
            contents,
            config: { ...http, ...size, abortSignal: signal },
          });
          const vectors = (answer.embeddings ?? []).flatMap(({ values }) => (values === undefined ? [] : [values]));
          if (vectors.length !== contents.length)
            throw unavailable(PROVIDER, 'the answer has no embedding for each text');
          embeddings.push(...vectors);
        }
        return { embeddings, model: name, usage: null };
      }),
  });
}

const MOST_TEXTS = 100;

/** Only the first generation takes several texts for several vectors; later ones make one vector of them. */
function batchesOf(model: string, texts: readonly string[]): string[][] {
  const size = /embedding-00|^embedding/.test(model) ? MOST_TEXTS : 1;
  return Array.from({ length: Math.ceil(texts.length / size) }, (_, index) =>
    texts.slice(index * size, (index + 1) * size),
  );
}

type HttpConfig = Pick<GenerateContentConfig, 'httpOptions'>;

/** The SDK's errors have no headers, so the one that counts is kept on its way. */
async function withRetryAfter<T>(call: (config: HttpConfig) => Promise<T>): Promise<T> {
  let retryAfter: string | null = null;
  const noting: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    retryAfter = response.headers.get('retry-after');
    return response;
  };
  try {
    return await call({ httpOptions: { fetch: noting } });
  } catch (error) {
    throw error instanceof ApiError ? geminiError(error, retryAfter) : error;
  }
}

function contentRequest(request: GenerateRequest, limit: number, http: GenerateContentConfig) {
  const { temperature, topP, seed, stop, schema, tools = [], toolChoice, reasoning } = request;
  const { contents, systemInstruction } = geminiContents(request);
  const config: GenerateContentConfig = {
    ...http,
    automaticFunctionCalling: { disable: true },
    automaticContinuation: false,
    maxOutputTokens: request.maxOutputTokens ?? limit,
    ...(systemInstruction === undefined ? {} : { systemInstruction }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined ? {} : { stopSequences: stop }),
    ...(reasoning === undefined ? {} : { thinkingConfig: thinkingOf(request.model, reasoning) }),
    ...(schema === undefined || tools.length > 0
      ? {}
      : { responseMimeType: 'application/json', responseJsonSchema: schema }),
    ...(tools.length === 0
      ? {}
      : {
          tools: [
            {
              functionDeclarations: tools.map(({ name, description, parameters }) => ({
                name,
                parametersJsonSchema: parameters,
                ...(description === undefined ? {} : { description }),
              })),
            },
          ],
          toolConfig: { functionCallingConfig: callingOf(toolChoice) },
        }),
  };
  return { model: request.model, contents, config };
}

function callingOf(choice: GenerateRequest['toolChoice'] = 'auto') {
  if (typeof choice === 'object') return { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: [choice.name] };
  const modes = {
    auto: FunctionCallingConfigMode.AUTO,
    none: FunctionCallingConfigMode.NONE,
    required: FunctionCallingConfigMode.ANY,
  };
  return { mode: modes[choice] };
}

function thinkingOf(model: string, effort: NonNullable<GenerateRequest['reasoning']>): ThinkingConfig {
  if (/gemini-2/.test(model)) {
    return effort === 'none'
      ? { thinkingBudget: 0 }
      : { thinkingBudget: THINKING_TOKENS[effort], includeThoughts: true };
  }
  if (effort === 'none') return { thinkingLevel: ThinkingLevel.MINIMAL };
  return {
    thinkingLevel: ThinkingLevel[effort.toUpperCase() as 'MINIMAL' | 'LOW' | 'MEDIUM' | 'HIGH'],
    includeThoughts: true,
  };
}

function* readResponse(builder: AnswerBuilder, answer: GenerateContentResponse): Iterable<StreamPart> {
  const { promptFeedback, candidates, modelVersion, usageMetadata: usage } = answer;
  if (promptFeedback?.blockReason) {
    throw new AppError('MODEL_CONTENT_FILTERED', { provider: PROVIDER, detail: String(promptFeedback.blockReason) });
  }
  builder.served(modelVersion);
  const candidate = candidates?.[0];
  for (const part of candidate?.content?.parts ?? []) {
    const opaque = part.thoughtSignature === undefined ? {} : { opaque: sealFor('gemini', part.thoughtSignature) };
    if (part.functionCall) {
      const { id, name = '', args } = part.functionCall;
      const input = (isJsonObject(args) ? args : {}) as Json;
      yield* builder.call({ id: id || `${OWN_ID}${randomUUID()}`, name, input, ...opaque });
    } else if (part.thought) {
      yield* builder.reasoning(part.text ?? '');
      if (opaque.opaque !== undefined) builder.sealReasoning(opaque.opaque);
    } else yield* builder.text(part.text);
  }
  const reason = candidate?.finishReason === undefined ? null : finishOf(String(candidate.finishReason));
  if (reason !== null)
    builder.finished(builder.hasCalls() && (reason === 'stop' || reason === 'other') ? 'tool-calls' : reason);
  if (usage) {
    yield* builder.used({
      inputTokens: usage.promptTokenCount ?? 0,
      outputTokens: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
      cacheReadTokens: usage.cachedContentTokenCount ?? 0,
      cacheWriteTokens: 0,
      reasoningTokens: usage.thoughtsTokenCount ?? 0,
    });
  }
}

function finishOf(reason: string): FinishReason {
  if (reason === 'STOP') return 'stop';
  if (reason === 'MAX_TOKENS') return 'length';
  return FILTERED.has(reason) ? 'content-filter' : 'other';
}

type ErrorBody = { error?: { message?: string; status?: string; details?: { retryDelay?: string }[] } };

function geminiError(error: unknown, retryAfter: string | null): AppError {
  if (!(error instanceof ApiError)) return unavailable(PROVIDER, rootMessage(error), error);
  const { message = error.message, status, details = [] } = bodyOf(error.message).error ?? {};
  const delay = /^([\d.]+)s$/.exec(details.find(({ retryDelay }) => retryDelay !== undefined)?.retryDelay ?? '')?.[1];
  return modelError(
    PROVIDER,
    {
      status: error.status,
      code: status,
      message,
      header: (name) => (name === 'retry-after' ? retryAfter : null),
      ...(delay === undefined ? {} : { retryAfterMs: Math.round(Number(delay) * 1000) }),
    },
    error,
  );
}

function bodyOf(message: string): ErrorBody {
  try {
    return JSON.parse(message) as ErrorBody;
  } catch {
    return {};
  }
}

export function geminiCapabilities(model: string): ModelCapabilities {
  if (/embedding/.test(model)) return { ...NO_CAPABILITIES, embed: true, contextTokens: 2_048 };
  return {
    ...NO_CAPABILITIES,
    generate: true,
    extract: true,
    stream: true,
    tools: true,
    images: true,
    files: true,
    schema: 'native',
    reasoning: !/gemini-(1|2\.0)/.test(model),
    caching: !/gemini-1\.0/.test(model),
    contextTokens: 1_048_576,
  };
}
