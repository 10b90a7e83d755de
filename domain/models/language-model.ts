import type { TokenUsage } from './activities.ts';

export type CompletionRequest = {
  prompt: string;
  system?: string;
  source?: string;
  model?: string;
  maxOutputTokens?: number;
  temperature?: number;
  /** The same for every attempt; handed on where the vendor has a place for it. */
  idempotencyKey?: string;
};

export type CompletionResult = {
  text: string;
  model: string;
  finishReason: 'stop' | 'length' | 'content-filter' | 'other';
  usage: TokenUsage | null;
};

/**
 * What every provider offers; adapters translate vendor errors into the error table. `Signal` is the platform's AbortSignal, a name
 * that does not exist where workflows are compiled.
 */
export interface LanguageModel<Signal> {
  readonly provider: string;
  /** Answers without calling anybody: asking again costs nothing. */
  readonly local?: true;
  complete(request: CompletionRequest, signal: Signal): Promise<CompletionResult>;
}
