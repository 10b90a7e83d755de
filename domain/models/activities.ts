import type { Json } from '../json.ts';

export type CompletionInput = {
  /** Provider name; default is the setting WEFT_MODEL_PROVIDER. */
  provider?: string;
  model?: string;
  /** Handlebars text, rendered in the activity over `values`, strict and without HTML escaping. */
  prompt: string;
  /** Handlebars text, as `prompt`. */
  system?: string;
  values?: { [name: string]: Json };
  /** Text that the answer must be drawn from; the only thing `offline-extractive` may use. */
  source?: string;
  maxOutputTokens?: number;
  temperature?: number;
};

export type TokenUsage = { inputTokens: number; outputTokens: number };

export type Completion = {
  text: string;
  provider: string;
  /** The model that served the answer, which may be more exact than the one asked for. */
  model: string;
  finishReason: 'stop' | 'length' | 'content-filter' | 'other';
  /** Null where the provider does not meter. */
  usage: TokenUsage | null;
};

export interface ModelActivities {
  /**
   * One completion. In the effect ledger unless the provider is local: one whose answer is there is not asked (and paid) for again.
   * Heartbeats every second; cancellation aborts the request.
   * @throws MODEL_UNSUPPORTED, MODEL_AUTH, MODEL_BAD_REQUEST, MODEL_RATE_LIMITED, MODEL_UNAVAILABLE, TEMPLATE_FAILED.
   */
  'model.complete'(input: CompletionInput): Promise<Completion>;
}
