import Anthropic, { APIConnectionError, APIError, APIUserAbortError } from '@anthropic-ai/sdk';
import type { AppError } from '../../domain/errors.ts';
import { type ModelCapabilities, NO_CAPABILITIES } from '../../domain/models/capabilities.ts';
import type { FinishReason, GenerateRequest, StreamPart, TokenUsage } from '../../domain/models/generation.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import type { Json } from '../../domain/json.ts';
import { anthropicParts } from './anthropic-messages.ts';
import { type AnswerBuilder, createAnswerBuilder, wholeAnswer } from './answer-builder.ts';
import { modelError, rootMessage, unavailable } from './model-error.ts';
import { sealFor } from './opaque.ts';
import { LONGEST_CALL_MS } from './openai-client.ts';
import { THINKING_TOKENS } from './thinking-budget.ts';
import { languageModel } from './vendor-model.ts';

export type AnthropicOptions = {
  apiKey: string | null;
  /** Null: Anthropic itself. */
  baseUrl: string | null;
  model: string;
  maxOutputTokens: number;
};

const PROVIDER = 'anthropic';
const FINISH_REASONS: { readonly [reason: string]: FinishReason } = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  refusal: 'content-filter',
};
/** Models that take a number of tokens to think with; later ones take an effort. */
const BY_BUDGET = /claude-(3-7|(opus|sonnet|haiku)-4(-[0-5])?(-\d{8})?$)/;
/** Models of before structured output. */
const WITHOUT_FORMAT = /claude-(3|(opus|sonnet|haiku)-4(-[0-4])?(-\d{8})?$|sonnet-4-2|opus-4-2)/;

export function createAnthropic({
  apiKey,
  baseUrl,
  model,
  maxOutputTokens,
}: AnthropicOptions): LanguageModel<AbortSignal> {
  const client = new Anthropic({
    apiKey: apiKey ?? 'none',
    authToken: null,
    credentials: null,
    config: null,
    profile: null,
    webhookKey: null,
    baseURL: baseUrl ?? 'https://api.anthropic.com',
    maxRetries: 0,
    timeout: LONGEST_CALL_MS,
    openTelemetry: false,
    logLevel: 'off',
  });
  const body = (request: GenerateRequest) => messagesBody(request, maxOutputTokens);
  return languageModel({
    provider: PROVIDER,
    missing: apiKey === null && baseUrl === null ? 'ANTHROPIC_API_KEY is not set' : null,
    defaults: { model, embeddingModel: null },
    capabilities: anthropicCapabilities,
    translate: anthropicError,
    async generate(request, signal) {
      const answer = await client.messages.create(body(request), { signal });
      const builder = createAnswerBuilder(PROVIDER, request);
      for (const block of answer.content ?? []) readBlock(builder, block);
      builder.served(answer.model);
      if (answer.stop_reason) builder.finished(FINISH_REASONS[answer.stop_reason] ?? 'other');
      builder.used(usageOf(answer.usage));
      return wholeAnswer(builder);
    },
    async *stream(request, signal) {
      const events = await client.messages.create({ ...body(request), stream: true }, { signal });
      const builder = createAnswerBuilder(PROVIDER, request);
      const read = eventReader(builder);
      for await (const event of events) yield* read(event);
      yield* builder.end();
    },
  });
}

function messagesBody(request: GenerateRequest, maxOutputTokens: number): Anthropic.MessageCreateParamsNonStreaming {
  const { temperature, topP, stop, schema, toolChoice, reasoning = 'none', tools = [] } = request;
  const limit = request.maxOutputTokens ?? maxOutputTokens;
  const thinks = reasoning !== 'none' && anthropicCapabilities(request.model).reasoning;
  const budget = thinks && BY_BUDGET.test(request.model) ? THINKING_TOKENS[reasoning] : null;
  const effort = thinks && budget === null ? { effort: reasoning === 'minimal' ? ('low' as const) : reasoning } : {};
  const format = schema === undefined ? {} : { format: { type: 'json_schema' as const, schema } };
  const output = { ...effort, ...(WITHOUT_FORMAT.test(request.model) ? {} : format) };
  return {
    model: request.model,
    max_tokens: limit + (budget ?? 0),
    ...anthropicParts(PROVIDER, request),
    ...(tools.length > 0 && toolChoice !== undefined ? { tool_choice: toolChoiceOf(toolChoice) } : {}),
    // With thoughts there is no choosing of temperatures.
    ...(temperature === undefined || thinks ? {} : { temperature: Math.min(temperature, 1) }),
    ...(topP === undefined || thinks ? {} : { top_p: topP }),
    ...(stop === undefined ? {} : { stop_sequences: stop }),
    ...(thinks
      ? {
          thinking:
            budget === null ? { type: 'adaptive' as const } : { type: 'enabled' as const, budget_tokens: budget },
        }
      : {}),
    ...(Object.keys(output).length === 0 ? {} : { output_config: output }),
  };
}

function toolChoiceOf(choice: NonNullable<GenerateRequest['toolChoice']>): Anthropic.ToolChoice {
  if (typeof choice === 'object') return { type: 'tool', name: choice.name };
  return { type: choice === 'required' ? 'any' : choice };
}

function readBlock(builder: AnswerBuilder, block: Anthropic.ContentBlock): void {
  if (block.type === 'text') builder.text(block.text);
  if (block.type === 'tool_use') builder.call({ id: block.id, name: block.name, input: block.input as Json });
  if (block.type === 'redacted_thinking') builder.sealReasoning(sealFor('anthropic-redacted', block.data));
  if (block.type === 'thinking') {
    builder.reasoning(block.thinking);
    builder.sealReasoning(sealFor('anthropic', block.signature));
  }
}

function eventReader(builder: AnswerBuilder) {
  let usage: TokenUsage | null = null;
  return function* read(event: Anthropic.RawMessageStreamEvent): Iterable<StreamPart> {
    switch (event.type) {
      case 'message_start':
        builder.served(event.message.model);
        usage = usageOf(event.message.usage);
        yield* builder.used(usage);
        return;
      case 'content_block_start': {
        const block = event.content_block;
        if (block.type === 'tool_use') builder.openCall(event.index, { id: block.id, name: block.name });
        if (block.type === 'redacted_thinking') builder.sealReasoning(sealFor('anthropic-redacted', block.data));
        if (block.type === 'thinking') yield* builder.reasoning(block.thinking);
        if (block.type === 'text') yield* builder.text(block.text);
        return;
      }
      case 'content_block_delta': {
        const { delta } = event;
        if (delta.type === 'text_delta') yield* builder.text(delta.text);
        if (delta.type === 'thinking_delta') yield* builder.reasoning(delta.thinking);
        if (delta.type === 'signature_delta') builder.sealReasoning(sealFor('anthropic', delta.signature));
        if (delta.type === 'input_json_delta') builder.callInput(event.index, delta.partial_json);
        return;
      }
      case 'content_block_stop':
        yield* builder.closeCall(event.index);
        return;
      case 'message_delta': {
        if (event.delta.stop_reason) builder.finished(FINISH_REASONS[event.delta.stop_reason] ?? 'other');
        usage = mergedUsage(usage, event.usage);
        yield* builder.used(usage);
      }
    }
  };
}

type Counted = Pick<Anthropic.MessageDeltaUsage, 'input_tokens' | 'output_tokens'> &
  Partial<Anthropic.MessageDeltaUsage>;

/** The vendor counts what is read from a cache or written to it apart. */
function usageOf(usage: Counted): TokenUsage {
  const [read, written] = [usage.cache_read_input_tokens ?? 0, usage.cache_creation_input_tokens ?? 0];
  return {
    inputTokens: (usage.input_tokens ?? 0) + read + written,
    outputTokens: usage.output_tokens ?? 0,
    cacheReadTokens: read,
    cacheWriteTokens: written,
    reasoningTokens: usage.output_tokens_details?.thinking_tokens ?? 0,
  };
}

/** The last event counts the output, and the input only where it differs. */
function mergedUsage(first: TokenUsage | null, last: Anthropic.MessageDeltaUsage): TokenUsage {
  const counted = usageOf(last);
  if (first === null || counted.inputTokens > 0) return counted;
  return { ...first, outputTokens: counted.outputTokens, reasoningTokens: counted.reasoningTokens };
}

function anthropicError(error: unknown): AppError {
  if (error instanceof APIConnectionError || error instanceof APIUserAbortError) {
    return unavailable(PROVIDER, rootMessage(error), error);
  }
  if (!(error instanceof APIError))
    return unavailable(PROVIDER, `the answer is not understood: ${rootMessage(error)}`, error);
  const { status, headers, type, apiMessage, message } = error;
  return modelError(
    PROVIDER,
    { status, code: type, message: apiMessage ?? message, header: (name) => headers?.get(name) },
    error,
  );
}

export function anthropicCapabilities(model: string): ModelCapabilities {
  return {
    ...NO_CAPABILITIES,
    generate: true,
    extract: true,
    stream: true,
    tools: true,
    images: true,
    files: true,
    schema: WITHOUT_FORMAT.test(model) ? 'prompt' : 'native',
    reasoning: !/claude-3-(5|opus|sonnet|haiku)/.test(model),
    caching: true,
    contextTokens: 200_000,
  };
}
