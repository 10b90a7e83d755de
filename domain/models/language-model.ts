import type { TokenUsage } from './activities.ts';

export type CompletionRequest = {
  prompt: string;
  system?: string;
  source?: string;
  model?: string;
  maxOutputTokens?: number;
  temperature?: number;
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
  complete(request: CompletionRequest, signal: Signal): Promise<CompletionResult>;
}
