import type OpenAI from 'openai';
import type { FinishReason, GenerateRequest, StreamPart, TokenUsage } from '../../domain/models/generation.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import { type AnswerBuilder, createAnswerBuilder, parsedInput, wholeAnswer } from './answer-builder.ts';
import { modelError } from './model-error.ts';
import { sealFor } from './opaque.ts';
import { OPENAI_URL, type OpenAiOptions } from './openai.ts';
import { openAiCapabilities } from './openai-capabilities.ts';
import { callOptions, createOpenAiClient, openAiEmbed, openAiError } from './openai-client.ts';
import { responsesInput, THOUGHTS } from './responses-input.ts';
import { isStrictSchema } from './strict-schema.ts';
import { languageModel } from './vendor-model.ts';

type Response = OpenAI.Responses.Response;
type Item = OpenAI.Responses.ResponseOutputItem;

const PROVIDER = 'openai-responses';

/** The Responses API, which keeps the thoughts of reasoning models over tool calls. Nothing is stored at OpenAI. */
export function createOpenAiResponses({
  apiKey,
  baseUrl,
  model,
  embeddingModel,
  maxOutputTokens,
}: OpenAiOptions): LanguageModel<AbortSignal> {
  const client = createOpenAiClient(apiKey, baseUrl ?? OPENAI_URL);
  const body = (request: GenerateRequest) => responseBody(request, maxOutputTokens);
  return languageModel({
    provider: PROVIDER,
    missing: apiKey === null && baseUrl === null ? 'OPENAI_API_KEY is not set' : null,
    defaults: { model, embeddingModel },
    capabilities: openAiCapabilities,
    translate: openAiError(PROVIDER),
    async generate(request, signal) {
      const answer = await client.responses.create(body(request), callOptions(request, signal));
      const builder = createAnswerBuilder(PROVIDER, request);
      for (const item of answer.output ?? []) readItem(builder, item);
      finish(builder, answer);
      return wholeAnswer(builder);
    },
    async *stream(request, signal) {
      const events = await client.responses.create({ ...body(request), stream: true }, callOptions(request, signal));
      const builder = createAnswerBuilder(PROVIDER, request);
      for await (const event of events) yield* readEvent(builder, event);
      yield* builder.end();
    },
    embed: (request, signal) => openAiEmbed(client, request, signal),
  });
}

function responseBody(request: GenerateRequest, limit: number): OpenAI.Responses.ResponseCreateParamsNonStreaming {
  const { model, temperature, topP, reasoning, schema, tools = [], toolChoice } = request;
  const thinks = openAiCapabilities(model).reasoning;
  return {
    model,
    input: responsesInput(request),
    store: false,
    max_output_tokens: request.maxOutputTokens ?? limit,
    ...(thinks ? { include: ['reasoning.encrypted_content'] } : {}),
    ...(thinks && reasoning !== undefined ? { reasoning: { effort: reasoning, summary: 'auto' } } : {}),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }) => ({
            type: 'function' as const,
            name,
            parameters,
            strict: false,
            ...(description === undefined ? {} : { description }),
          })),
          tool_choice:
            typeof toolChoice === 'object'
              ? { type: 'function' as const, name: toolChoice.name }
              : (toolChoice ?? 'auto'),
        }),
    ...(schema === undefined
      ? {}
      : { text: { format: { type: 'json_schema' as const, name: 'answer', schema, strict: isStrictSchema(schema) } } }),
  };
}

function readItem(builder: AnswerBuilder, item: Item): StreamPart[] {
  if (item.type === 'message') {
    return item.content.flatMap((part) => builder.text(part.type === 'output_text' ? part.text : part.refusal));
  }
  if (item.type === 'function_call') {
    return builder.call({ id: item.call_id, name: item.name, input: parsedInput(PROVIDER, item.name, item.arguments) });
  }
  if (item.type !== 'reasoning') return [];
  const parts = builder.reasoning(item.summary.map(({ text }) => text).join('\n'));
  seal(builder, item);
  return parts;
}

function seal(builder: AnswerBuilder, { id, encrypted_content: secret }: OpenAI.Responses.ResponseReasoningItem): void {
  if (secret) builder.sealReasoning(sealFor(THOUGHTS, JSON.stringify({ id, secret })));
}

function* readEvent(builder: AnswerBuilder, event: OpenAI.Responses.ResponseStreamEvent): Iterable<StreamPart> {
  switch (event.type) {
    case 'response.output_text.delta':
    case 'response.refusal.delta':
      yield* builder.text(event.delta);
      return;
    case 'response.reasoning_summary_text.delta':
      yield* builder.reasoning(event.delta);
      return;
    case 'response.output_item.added':
      if (event.item.type === 'function_call') {
        builder.openCall(event.output_index, { id: event.item.call_id, name: event.item.name });
      }
      return;
    case 'response.function_call_arguments.delta':
      builder.callInput(event.output_index, event.delta);
      return;
    case 'response.output_item.done':
      if (event.item.type === 'reasoning') seal(builder, event.item);
      yield* builder.closeCall(event.output_index);
      return;
    case 'response.completed':
    case 'response.incomplete':
      yield* finish(builder, event.response);
      return;
    case 'response.failed':
      throw failed(event.response.error);
    case 'error':
      throw failed(event);
  }
}

const failed = (error: { code?: string | null; message: string } | null) =>
  modelError(PROVIDER, { code: error?.code, message: error?.message ?? 'the response failed' });

function finish(
  builder: AnswerBuilder,
  { model, status, incomplete_details: cut, output, usage, error }: Response,
): StreamPart[] {
  if (status === 'failed') throw failed(error);
  builder.served(model);
  builder.finished(reasonOf(status === 'incomplete' ? cut?.reason : undefined, output ?? []));
  return usage ? builder.used(usageOf(usage)) : [];
}

function reasonOf(cut: string | undefined, output: readonly Item[]): FinishReason {
  if (cut === 'max_output_tokens') return 'length';
  if (cut === 'content_filter') return 'content-filter';
  if (cut !== undefined) return 'other';
  return output.some(({ type }) => type === 'function_call') ? 'tool-calls' : 'stop';
}

function usageOf(usage: OpenAI.Responses.ResponseUsage): TokenUsage {
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: usage.input_tokens_details?.cached_tokens ?? 0,
    cacheWriteTokens: 0,
    reasoningTokens: usage.output_tokens_details?.reasoning_tokens ?? 0,
  };
}
