import type { Json, JsonObject } from '../json.ts';
import type { FinishReason, ReasoningEffort, TokenUsage } from './generation.ts';
import type { MediaSource, Message, ReasoningPart, ToolCallPart, ToolChoice, ToolDefinition } from './message.ts';

/** An address (also `data:`), or a source with its kind. */
export type MediaInput = string | (MediaSource & { name?: string });

/** One row of a chain: `provider`, `provider/model`, or both apart. */
export type ModelChoice = string | { provider: string; model?: string };

export type CompletionInput = {
  /** Provider name; default is the setting WEFT_MODEL_PROVIDER. */
  provider?: string;
  model?: string;
  /** Asked in this order until one answers; instead of `provider` and `model`. */
  models?: ModelChoice[];
  /** Handlebars text, rendered in the activity over `values`, strict and without HTML escaping. The last turn of the conversation. */
  prompt: string;
  /** Handlebars text, as `prompt`. */
  system?: string;
  values?: { [name: string]: Json };
  /** The conversation before the prompt. */
  messages?: Message[];
  images?: MediaInput[];
  files?: MediaInput[];
  /** Text that the answer must be drawn from; the only thing `offline-extractive` may use. */
  source?: string;
  tools?: ToolDefinition[];
  toolChoice?: ToolChoice;
  schema?: JsonObject;
  maxOutputTokens?: number;
  temperature?: number;
  topP?: number;
  seed?: number;
  stop?: string[];
  reasoning?: ReasoningEffort;
  cache?: boolean;
  /** Whether the tokens are sent on as they come; default is true. */
  stream?: boolean;
};

/** A model of a chain that was passed over or failed before the one that served. */
export type SkippedModel = { provider: string; model: string; code: string; detail: string };

export type Completion = {
  text: string;
  provider: string;
  /** The model that served the answer, which may be more exact than the one asked for. */
  model: string;
  finishReason: FinishReason;
  /** Null where the provider does not meter. */
  usage: TokenUsage | null;
  /** By list prices, in millionths of a US dollar; null where no price is known. */
  costMicroUsd: number | null;
  /** Of the node's schema, where it has one. */
  object?: Json;
  toolCalls?: ToolCallPart[];
  reasoning?: ReasoningPart[];
  skipped?: SkippedModel[];
};

export type EmbedInput = {
  /** Default is the setting WEFT_EMBEDDING_PROVIDER. */
  provider?: string;
  model?: string;
  /** A text or many. */
  texts: string | string[];
  dimensions?: number;
};

export type Embeddings = {
  /** One of each text, in their order. */
  embeddings: number[][];
  dimensions: number;
  provider: string;
  model: string;
  usage: TokenUsage | null;
  /** As of a completion. */
  costMicroUsd: number | null;
};

export interface ModelActivities {
  /**
   * One completion. In the effect ledger unless the provider is local: one whose answer is there is not asked (and paid) for again.
   * Heartbeats every second; cancellation aborts the request.
   * @throws MODEL_UNSUPPORTED, MODEL_AUTH, MODEL_BAD_REQUEST, MODEL_CONTENT_FILTERED, MODEL_CONTEXT_TOO_LONG, MODEL_QUOTA_EXHAUSTED,
   * MODEL_OUTPUT_INVALID, MODEL_RATE_LIMITED, MODEL_OVERLOADED, MODEL_UNAVAILABLE, TEMPLATE_FAILED.
   */
  'model.complete'(input: CompletionInput): Promise<Completion>;
  /** @throws as `model.complete` */
  'model.embed'(input: EmbedInput): Promise<Embeddings>;
}
