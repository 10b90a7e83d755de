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

/** What every provider offers; adapters translate vendor errors into the error table. */
export interface LanguageModel {
  readonly provider: string;
  complete(request: CompletionRequest, signal: AbortSignal): Promise<CompletionResult>;
}
