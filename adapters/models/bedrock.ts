import {
  BedrockRuntimeClient,
  BedrockRuntimeServiceException,
  type ContentBlock,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  type TokenUsage as BedrockUsage,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { AppError } from '../../domain/errors.ts';
import { type ModelCapabilities, NO_CAPABILITIES } from '../../domain/models/capabilities.ts';
import type { FinishReason, GenerateRequest, StreamPart, TokenUsage } from '../../domain/models/generation.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import { type AnswerBuilder, createAnswerBuilder, wholeAnswer } from './answer-builder.ts';
import { embedByBedrock } from './bedrock-embed.ts';
import { bedrockParts } from './bedrock-messages.ts';
import { modelError, rootMessage, unavailable } from './model-error.ts';
import { sealFor } from './opaque.ts';
import { THINKING_TOKENS } from './thinking-budget.ts';
import { languageModel } from './vendor-model.ts';

export type BedrockOptions = {
  region: string | null;
  /** Null: the SDK's own chain. */
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | null;
  endpoint: string | null;
  model: string;
  embeddingModel: string;
  maxOutputTokens: number;
};

const PROVIDER = 'bedrock';
const FINISH_REASONS: { readonly [reason: string]: FinishReason } = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  content_filtered: 'content-filter',
  guardrail_intervened: 'content-filter',
};

export function createBedrock(options: BedrockOptions): LanguageModel<AbortSignal> {
  const { region, credentials, endpoint, model, embeddingModel, maxOutputTokens } = options;
  const client = new BedrockRuntimeClient({
    region: region ?? 'us-east-1',
    ...(credentials === null ? {} : { credentials }),
    ...(endpoint === null ? {} : { endpoint }),
    maxAttempts: 1,
    // The SDK would speak HTTP/2, which many proxies and local servers do not.
    requestHandler: new NodeHttpHandler(),
  });
  const body = (request: GenerateRequest) => converseBody(request, maxOutputTokens);
  return languageModel({
    provider: PROVIDER,
    missing: region === null ? 'AWS_REGION is not set' : null,
    defaults: { model, embeddingModel },
    capabilities: bedrockCapabilities,
    translate: bedrockError,
    async generate(request, signal) {
      const answer = await client.send(new ConverseCommand(body(request)), { abortSignal: signal });
      const builder = createAnswerBuilder(PROVIDER, request);
      for (const block of answer.output?.message?.content ?? []) readBlock(builder, block);
      if (answer.stopReason) builder.finished(FINISH_REASONS[answer.stopReason] ?? 'other');
      if (answer.usage) builder.used(usageOf(answer.usage));
      return wholeAnswer(builder);
    },
    async *stream(request, signal) {
      const answer = await client.send(new ConverseStreamCommand(body(request)), { abortSignal: signal });
      const builder = createAnswerBuilder(PROVIDER, request);
      for await (const event of answer.stream ?? []) yield* readEvent(builder, event);
      yield* builder.end();
    },
    embed: (request, signal) => embedByBedrock(client, request, signal),
  });
}

function converseBody(request: GenerateRequest, limit: number): ConverseCommandInput {
  const { model, temperature, topP, stop, schema, reasoning = 'none' } = request;
  const can = bedrockCapabilities(model);
  const budget = reasoning !== 'none' && can.reasoning ? THINKING_TOKENS[reasoning] : null;
  return {
    modelId: model,
    ...bedrockParts(PROVIDER, request, can.caching),
    inferenceConfig: {
      maxTokens: (request.maxOutputTokens ?? limit) + (budget ?? 0),
      ...(temperature === undefined || budget !== null ? {} : { temperature: Math.min(temperature, 1) }),
      ...(topP === undefined || budget !== null ? {} : { topP }),
      ...(stop === undefined ? {} : { stopSequences: stop }),
    },
    ...(budget === null
      ? {}
      : { additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: budget } } }),
    ...(schema === undefined || can.schema !== 'native'
      ? {}
      : {
          outputConfig: {
            textFormat: {
              type: 'json_schema',
              structure: { jsonSchema: { name: 'answer', schema: JSON.stringify(schema) } },
            },
          },
        }),
  };
}

function readBlock(builder: AnswerBuilder, block: ContentBlock): void {
  builder.text(block.text);
  if (block.toolUse) {
    const { toolUseId = '', name = '', input } = block.toolUse;
    builder.call({ id: toolUseId, name, input: input ?? {} });
  }
  const { reasoningText, redactedContent } = block.reasoningContent ?? {};
  if (reasoningText?.text !== undefined) builder.reasoning(reasoningText.text);
  if (reasoningText?.signature !== undefined) builder.sealReasoning(sealFor('bedrock', reasoningText.signature));
  if (redactedContent)
    builder.sealReasoning(sealFor('bedrock-redacted', Buffer.from(redactedContent).toString('base64')));
}

function* readEvent(builder: AnswerBuilder, event: ConverseStreamOutput): Iterable<StreamPart> {
  const index = event.contentBlockStart?.contentBlockIndex ?? event.contentBlockDelta?.contentBlockIndex ?? 0;
  const opened = event.contentBlockStart?.start?.toolUse;
  if (opened) builder.openCall(index, { id: opened.toolUseId ?? '', name: opened.name ?? '' });
  const delta = event.contentBlockDelta?.delta;
  if (delta?.text) yield* builder.text(delta.text);
  if (delta?.toolUse) builder.callInput(index, delta.toolUse.input ?? '');
  if (delta?.reasoningContent?.text) yield* builder.reasoning(delta.reasoningContent.text);
  if (delta?.reasoningContent?.signature) builder.sealReasoning(sealFor('bedrock', delta.reasoningContent.signature));
  if (delta?.reasoningContent?.redactedContent) {
    const secret = Buffer.from(delta.reasoningContent.redactedContent).toString('base64');
    builder.sealReasoning(sealFor('bedrock-redacted', secret));
  }
  if (event.contentBlockStop) yield* builder.closeCall(event.contentBlockStop.contentBlockIndex ?? 0);
  if (event.messageStop) builder.finished(FINISH_REASONS[event.messageStop.stopReason ?? ''] ?? 'other');
  if (event.metadata?.usage) yield* builder.used(usageOf(event.metadata.usage));
  const failure =
    event.internalServerException ??
    event.modelStreamErrorException ??
    event.serviceUnavailableException ??
    event.throttlingException ??
    event.validationException;
  if (failure) throw bedrockError(failure);
}

/** The service counts what is read from a cache or written to it apart. */
function usageOf(usage: BedrockUsage): TokenUsage {
  const [read, written] = [usage.cacheReadInputTokens ?? 0, usage.cacheWriteInputTokens ?? 0];
  return {
    inputTokens: (usage.inputTokens ?? 0) + read + written,
    outputTokens: usage.outputTokens ?? 0,
    cacheReadTokens: read,
    cacheWriteTokens: written,
    reasoningTokens: 0,
  };
}

const CREDENTIALS =
  /CredentialsProviderError|could not load credentials|UnrecognizedClient|InvalidSignature|ExpiredToken/i;

function bedrockError(error: unknown): AppError {
  const { name, $metadata, $response, ...rest } = error as Partial<BedrockRuntimeServiceException>;
  // Proxies answer in shapes that the SDK does not know.
  const message = (rest as { error?: { message?: string } }).error?.message ?? (error as Error).message;
  if (CREDENTIALS.test(`${name} ${message}`)) return modelError(PROVIDER, { status: 401, message }, error);
  if (!(error instanceof BedrockRuntimeServiceException)) return unavailable(PROVIDER, rootMessage(error), error);
  const headers = ($response?.headers ?? {}) as Record<string, string>;
  return modelError(
    PROVIDER,
    { status: $metadata?.httpStatusCode, code: name, message, header: (wanted) => headers[wanted] },
    error,
  );
}

/** By the model's id, regional prefixes aside. */
export function bedrockCapabilities(model: string): ModelCapabilities {
  if (/embed/.test(model)) return { ...NO_CAPABILITIES, embed: true };
  const claude = /anthropic\.claude/.test(model);
  const nova = /amazon\.nova/.test(model);
  return {
    ...NO_CAPABILITIES,
    generate: true,
    extract: true,
    stream: true,
    tools: !/titan|llama2|llama3-\d+b|jurassic/.test(model),
    images: claude || (nova && !/micro/.test(model)) || /pixtral|llama3-2-(11|90)b|llama4/.test(model),
    files: claude || nova,
    schema: /claude-(opus|sonnet|haiku)-(4-[5-9]|[5-9])/.test(model) ? 'native' : 'prompt',
    reasoning: /claude-(3-7|(opus|sonnet|haiku)-[4-9])/.test(model),
    caching: nova || /claude-(3-5-(haiku|sonnet-20241022)|3-7|(opus|sonnet|haiku)-[4-9])/.test(model),
    contextTokens: claude ? 200_000 : null,
  };
}
