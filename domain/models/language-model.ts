import type { ModelCapabilities } from './capabilities.ts';
import type { EmbedRequest, EmbedResult, GenerateRequest, GenerateResult, StreamPart } from './generation.ts';

/**
 * What every provider offers; adapters translate vendor errors into the error table and never retry. `Signal` is the platform's
 * AbortSignal, a name that does not exist where workflows are compiled.
 */
export interface LanguageModel<Signal> {
  readonly provider: string;
  /** Answers without calling anybody: asking again costs nothing. */
  readonly local?: true;
  /** What has to be set before it can be called; null when nothing is missing. */
  readonly missing: string | null;
  /** For requests that name no model. */
  readonly defaults: { model: string; embeddingModel: string | null };
  capabilities(model: string): ModelCapabilities;
  generate(request: GenerateRequest, signal: Signal): Promise<GenerateResult>;
  /** The result comes as the last part. Leaving the loop early ends the request. */
  stream(request: GenerateRequest, signal: Signal): AsyncIterable<StreamPart>;
  embed(request: EmbedRequest, signal: Signal): Promise<EmbedResult>;
}
