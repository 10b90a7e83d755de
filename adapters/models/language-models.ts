import type { LanguageModel } from '../../domain/models/language-model.ts';
import { createOfflineExtractive, type Condense } from './offline-extractive.ts';
import { createOpenAi, type OpenAiOptions } from './openai.ts';

export type ProviderOptions = { condense: Condense; openai: OpenAiOptions };
export type LanguageModels = ReadonlyMap<string, LanguageModel<AbortSignal>>;

/** A provider is a file beside this one and a row here. */
export const PROVIDERS = {
  'offline-extractive': ({ condense }) => createOfflineExtractive(condense),
  openai: ({ openai }) => createOpenAi(openai),
} as const satisfies Record<string, (options: ProviderOptions) => LanguageModel<AbortSignal>>;

export function createLanguageModels(options: ProviderOptions): LanguageModels {
  return new Map(Object.entries(PROVIDERS).map(([name, create]) => [name, create(options)]));
}
