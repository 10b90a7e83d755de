import { PROVIDERS, type LanguageModels, type ProviderOptions } from './language-models.ts';
import { readModelsFile } from './models-file.ts';

/** The settings that providers are made of. */
export type ModelSettings = {
  readonly WEFT_MODEL_PROVIDER: string | null;
  readonly WEFT_EMBEDDING_PROVIDER: string | null;
  readonly WEFT_MODEL_MAX_TOKENS: number;
  readonly WEFT_MODELS_FILE: string | null;
  readonly OPENAI_API_KEY: string | null;
  readonly OPENAI_BASE_URL: string | null;
  readonly OPENAI_MODEL: string;
  readonly OPENAI_EMBEDDING_MODEL: string;
  readonly OPENAI_MAX_TOKENS: number;
  readonly AZURE_OPENAI_API_KEY: string | null;
  readonly AZURE_OPENAI_ENDPOINT: string | null;
  readonly AZURE_OPENAI_API_VERSION: string;
  readonly AZURE_OPENAI_DEPLOYMENT: string;
  readonly AZURE_OPENAI_EMBEDDING_DEPLOYMENT: string | null;
  readonly ANTHROPIC_API_KEY: string | null;
  readonly ANTHROPIC_BASE_URL: string | null;
  readonly ANTHROPIC_MODEL: string;
  readonly AWS_REGION: string | null;
  readonly AWS_ACCESS_KEY_ID: string | null;
  readonly AWS_SECRET_ACCESS_KEY: string | null;
  readonly AWS_SESSION_TOKEN: string | null;
  readonly BEDROCK_ENDPOINT: string | null;
  readonly BEDROCK_MODEL: string;
  readonly BEDROCK_EMBEDDING_MODEL: string;
  readonly GEMINI_API_KEY: string | null;
  readonly GEMINI_BASE_URL: string | null;
  readonly GEMINI_MODEL: string;
  readonly GEMINI_EMBEDDING_MODEL: string;
  readonly OLLAMA_BASE_URL: string | null;
  readonly OLLAMA_MODEL: string;
  readonly OLLAMA_EMBEDDING_MODEL: string;
};

/** @throws CONFIG_INVALID for a models file that cannot be read */
export function providerOptions(settings: ModelSettings, condense: ProviderOptions['condense']): ProviderOptions {
  const maxOutputTokens = settings.WEFT_MODEL_MAX_TOKENS;
  return {
    condense,
    openai: {
      apiKey: settings.OPENAI_API_KEY,
      baseUrl: settings.OPENAI_BASE_URL,
      model: settings.OPENAI_MODEL,
      embeddingModel: settings.OPENAI_EMBEDDING_MODEL,
      maxOutputTokens: settings.OPENAI_MAX_TOKENS,
    },
    azure: {
      apiKey: settings.AZURE_OPENAI_API_KEY,
      endpoint: settings.AZURE_OPENAI_ENDPOINT,
      apiVersion: settings.AZURE_OPENAI_API_VERSION,
      deployment: settings.AZURE_OPENAI_DEPLOYMENT,
      embeddingDeployment: settings.AZURE_OPENAI_EMBEDDING_DEPLOYMENT,
      maxOutputTokens,
    },
    anthropic: {
      apiKey: settings.ANTHROPIC_API_KEY,
      baseUrl: settings.ANTHROPIC_BASE_URL,
      model: settings.ANTHROPIC_MODEL,
      maxOutputTokens,
    },
    bedrock: {
      region: settings.AWS_REGION,
      credentials: awsCredentials(settings),
      endpoint: settings.BEDROCK_ENDPOINT,
      model: settings.BEDROCK_MODEL,
      embeddingModel: settings.BEDROCK_EMBEDDING_MODEL,
      maxOutputTokens,
    },
    gemini: {
      apiKey: settings.GEMINI_API_KEY,
      baseUrl: settings.GEMINI_BASE_URL,
      model: settings.GEMINI_MODEL,
      embeddingModel: settings.GEMINI_EMBEDDING_MODEL,
      maxOutputTokens,
    },
    ollama: {
      baseUrl: settings.OLLAMA_BASE_URL,
      model: settings.OLLAMA_MODEL,
      embeddingModel: settings.OLLAMA_EMBEDDING_MODEL,
      maxOutputTokens,
    },
    compatible: readModelsFile(settings.WEFT_MODELS_FILE, Object.keys(PROVIDERS), maxOutputTokens),
  };
}

function awsCredentials(settings: ModelSettings): ProviderOptions['bedrock']['credentials'] {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = settings;
  if (accessKeyId === null || secretAccessKey === null) return null;
  return { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) };
}

/** Bedrock is not among them: its region may be set for other reasons. */
const BY_DEFAULT = ['openai', 'anthropic', 'gemini', 'azure-openai', 'ollama'];

/** Who answers nodes that name no provider: what the setting says, else the first that is set up. */
export function defaultModelProvider({ WEFT_MODEL_PROVIDER }: ModelSettings, models: LanguageModels): string {
  return WEFT_MODEL_PROVIDER ?? BY_DEFAULT.find((name) => models.get(name)?.missing === null) ?? 'offline-extractive';
}

export function defaultEmbeddingProvider(settings: ModelSettings, models: LanguageModels): string {
  if (settings.WEFT_EMBEDDING_PROVIDER !== null) return settings.WEFT_EMBEDDING_PROVIDER;
  const provider = defaultModelProvider(settings, models);
  return models.get(provider)?.defaults.embeddingModel ? provider : 'offline-lexical';
}

/** How much each provider writes at most where a request does not say. */
export function outputLimits(options: ProviderOptions): (provider: string) => number {
  const { openai, azure, anthropic, bedrock, gemini, ollama, compatible } = options;
  const named = { openai, 'openai-responses': openai, 'azure-openai': azure, anthropic, bedrock, gemini, ollama };
  const limits = new Map([
    ...Object.entries(named).map(([provider, { maxOutputTokens }]) => [provider, maxOutputTokens] as const),
    ...compatible.map(({ provider, maxOutputTokens }) => [provider, maxOutputTokens] as const),
  ]);
  return (provider) => limits.get(provider) ?? 0;
}
