import type { Json, JsonObject } from '../json.ts';
import type { AssistantPart, Message, ToolCallPart, ToolChoice, ToolDefinition } from './message.ts';

/** Totals as the provider counted them: `inputTokens` with what came from a cache or went into one, `outputTokens` with reasoning. */
export type TokenUsage = {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  reasoningTokens: number;
};

export const FINISH_REASONS = ['stop', 'length', 'tool-calls', 'content-filter', 'other'] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

export const REASONING_EFFORTS = ['none', 'minimal', 'low', 'medium', 'high'] as const;
export type ReasoningEffort = (typeof REASONING_EFFORTS)[number];

export type GenerateRequest = {
  model: string;
  messages: Message[];
  tools?: ToolDefinition[];
  toolChoice?: ToolChoice;
  /** The answer must be JSON of this schema. */
  schema?: JsonObject;
  /** Text that the answer must be drawn from; models that write get it in the last message of the user. */
  source?: string;
  maxOutputTokens?: number;
  temperature?: number;
  topP?: number;
  seed?: number;
  stop?: string[];
  reasoning?: ReasoningEffort;
  /** Marks what stays the same from call to call, where the provider wants that said. Default is true. */
  cache?: boolean;
  /** The same for every attempt; handed on where the vendor has a place for it. */
  idempotencyKey?: string;
};

export type GenerateResult = {
  content: AssistantPart[];
  /** The model that served the answer, which may be more exact than the one asked for. */
  model: string;
  finishReason: FinishReason;
  /** Null where the provider does not meter. */
  usage: TokenUsage | null;
};

/** What comes while an answer is made; `end` is the last one. `usage` is all that is known so far and counts when nothing follows. */
export type StreamPart =
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string }
  | { type: 'tool-call'; call: ToolCallPart }
  | { type: 'usage'; usage: TokenUsage }
  | { type: 'end'; result: GenerateResult };

export type EmbedRequest = { model: string; texts: string[]; dimensions?: number };
export type EmbedResult = { embeddings: number[][]; model: string; usage: TokenUsage | null };

export const NO_TOKENS: TokenUsage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};

export function addUsage(left: TokenUsage | null, right: TokenUsage | null): TokenUsage | null {
  if (left === null || right === null) return left ?? right;
  return {
    inputTokens: left.inputTokens + right.inputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    cacheReadTokens: left.cacheReadTokens + right.cacheReadTokens,
    cacheWriteTokens: left.cacheWriteTokens + right.cacheWriteTokens,
    reasoningTokens: left.reasoningTokens + right.reasoningTokens,
  };
}

/** The value that a text holds as JSON, also inside a code fence; undefined when it holds none. */
export function jsonOf(text: string): Json | undefined {
  const fenced = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?```\s*$/.exec(text);
  try {
    return JSON.parse(fenced?.[1] ?? text) as Json;
  } catch {
    return undefined;
  }
}
