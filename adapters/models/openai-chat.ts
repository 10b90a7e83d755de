import type OpenAI from 'openai';
import type { FinishReason, GenerateRequest, GenerateResult, StreamPart } from '../../domain/models/generation.ts';
import type { ModelCapabilities } from '../../domain/models/capabilities.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import { type AnswerBuilder, createAnswerBuilder, parsedInput, wholeAnswer } from './answer-builder.ts';
import { chatMessages, chatTools } from './chat-messages.ts';
import { unavailable } from './model-error.ts';
import { callOptions, openAiEmbed, openAiError, openAiUsage } from './openai-client.ts';
import { isStrictSchema } from './strict-schema.ts';
import { languageModel } from './vendor-model.ts';

export type ChatOptions = {
  provider: string;
  missing: string | null;
  /** Azure has one address, and so one client, for each deployment. */
  clientOf: (model: string) => OpenAI;
  defaults: LanguageModel<AbortSignal>['defaults'];
  /** For requests that name no limit. */
  maxOutputTokens: number;
  /** OpenAI's newer models refuse `max_tokens`; many compatible servers know nothing else. */
  limitField: 'max_completion_tokens' | 'max_tokens';
  capabilities: (model: string) => ModelCapabilities;
};

type Choice = OpenAI.ChatCompletion.Choice;
/** What some compatible servers add. */
type Thoughts = { reasoning_content?: string | null; reasoning?: string | null };

const FINISH_REASONS: { readonly [reason: string]: FinishReason } = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content-filter',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
};
const finishReason = (reason: string): FinishReason => FINISH_REASONS[reason] ?? 'other';

/** Chat completions, which OpenAI, Azure, Ollama and most servers speak. */
export function createChatModel(options: ChatOptions): LanguageModel<AbortSignal> {
  const { provider, missing, defaults, capabilities, clientOf } = options;
  return languageModel({
    provider,
    missing,
    defaults,
    capabilities,
    translate: openAiError(provider),
    async generate(request, signal) {
      const body = chatBody(request, options);
      const answer = await clientOf(request.model).chat.completions.create(body, callOptions(request, signal));
      return readAnswer(provider, request, answer);
    },
    async *stream(request, signal) {
      const body = { ...chatBody(request, options), stream: true as const, stream_options: { include_usage: true } };
      const chunks = await clientOf(request.model).chat.completions.create(body, callOptions(request, signal));
      const builder = createAnswerBuilder(provider, request);
      for await (const chunk of chunks) yield* readChunk(builder, chunk);
      yield* builder.end();
    },
    embed: (request, signal) => openAiEmbed(clientOf(request.model), request, signal),
  });
}

function chatBody(request: GenerateRequest, options: ChatOptions): OpenAI.ChatCompletionCreateParamsNonStreaming {
  const { temperature, topP, seed, stop, reasoning, schema, tools = [], toolChoice } = request;
  return {
    model: request.model,
    messages: chatMessages(options.provider, request),
    [options.limitField]: request.maxOutputTokens ?? options.maxOutputTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined ? {} : { stop }),
    ...(reasoning === undefined ? {} : { reasoning_effort: reasoning }),
    ...(tools.length === 0 ? {} : { tools: chatTools(tools), tool_choice: chatToolChoice(toolChoice) }),
    ...(schema === undefined
      ? {}
      : {
          response_format: {
            type: 'json_schema' as const,
            json_schema: { name: 'answer', schema, strict: isStrictSchema(schema) },
          },
        }),
  };
}

function chatToolChoice(choice: GenerateRequest['toolChoice'] = 'auto'): OpenAI.ChatCompletionToolChoiceOption {
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: choice.name } };
}

function readAnswer(provider: string, asked: GenerateRequest, answer: OpenAI.ChatCompletion): GenerateResult {
  const choice: Choice | undefined = answer.choices?.[0];
  if (!choice) throw unavailable(provider, 'the answer has no choices');
  const builder = createAnswerBuilder(provider, asked);
  const { content, refusal, tool_calls: calls = [], ...rest } = choice.message;
  const thoughts = (rest as Thoughts).reasoning_content ?? (rest as Thoughts).reasoning;
  if (thoughts) builder.reasoning(thoughts);
  builder.text(content ?? refusal);
  for (const { id, ...call } of calls) {
    if (call.type !== 'function') continue;
    const { name } = call.function;
    builder.call({ id, name, input: parsedInput(provider, name, call.function.arguments) });
  }
  builder.served(answer.model);
  builder.finished(finishReason(choice.finish_reason));
  if (answer.usage) builder.used(openAiUsage(answer.usage));
  return wholeAnswer(builder);
}

function* readChunk(builder: AnswerBuilder, chunk: OpenAI.ChatCompletionChunk): Iterable<StreamPart> {
  builder.served(chunk.model);
  const choice = chunk.choices?.[0];
  if (choice) {
    const { delta, finish_reason: reason } = choice;
    const thoughts = (delta as Thoughts).reasoning_content ?? (delta as Thoughts).reasoning;
    if (thoughts) yield* builder.reasoning(thoughts);
    yield* builder.text(delta.content ?? delta.refusal);
    for (const { index, id, function: piece } of delta.tool_calls ?? []) {
      if (!builder.hasCall(index)) {
        if (index > 0) yield* builder.closeCall(index - 1);
        builder.openCall(index, { id: id ?? `call_${index}`, name: piece?.name ?? '' });
      }
      builder.callInput(index, piece?.arguments ?? '');
    }
    if (reason) builder.finished(finishReason(reason));
  }
  if (chunk.usage) yield* builder.used(openAiUsage(chunk.usage));
}
