import type { LanguageModel } from '../../domain/models/language-model.ts';
import { type AnthropicOptions, createAnthropic } from './anthropic.ts';
import { type AzureOpenAiOptions, createAzureOpenAi } from './azure-openai.ts';
import { type BedrockOptions, createBedrock } from './bedrock.ts';
import { createGemini, type GeminiOptions } from './gemini.ts';
import { createOfflineExtractive, type Condense } from './offline-extractive.ts';
import { createOfflineLexical } from './offline-lexical.ts';
import { createOllama, type OllamaOptions } from './ollama.ts';
import { createOpenAi, type OpenAiOptions } from './openai.ts';
import { type CompatibleOptions, createOpenAiCompatible } from './openai-compatible.ts';
import { createOpenAiResponses } from './openai-responses.ts';

export type ProviderOptions = {
  condense: Condense;
  openai: OpenAiOptions;
  azure: AzureOpenAiOptions;
  anthropic: AnthropicOptions;
  bedrock: BedrockOptions;
  gemini: GeminiOptions;
  ollama: OllamaOptions;
  /** Servers that speak chat completions, each a provider by its own name. */
  compatible: readonly CompatibleOptions[];
};
export type LanguageModels = ReadonlyMap<string, LanguageModel<AbortSignal>>;

/** A provider is a file beside this one and a row here. */
export const PROVIDERS = {
  'offline-extractive': ({ condense }) => createOfflineExtractive(condense),
  'offline-lexical': () => createOfflineLexical(),
  openai: ({ openai }) => createOpenAi(openai),
  'openai-responses': ({ openai }) => createOpenAiResponses(openai),
  'azure-openai': ({ azure }) => createAzureOpenAi(azure),
  anthropic: ({ anthropic }) => createAnthropic(anthropic),
  bedrock: ({ bedrock }) => createBedrock(bedrock),
  gemini: ({ gemini }) => createGemini(gemini),
  ollama: ({ ollama }) => createOllama(ollama),
} as const satisfies Record<string, (options: ProviderOptions) => LanguageModel<AbortSignal>>;

export function createLanguageModels(options: ProviderOptions): LanguageModels {
  const named = Object.entries(PROVIDERS).map(([name, create]) => [name, create(options)] as const);
  const compatible = options.compatible.map((one) => [one.provider, createOpenAiCompatible(one)] as const);
  return new Map<string, LanguageModel<AbortSignal>>([...compatible, ...named]);
}
