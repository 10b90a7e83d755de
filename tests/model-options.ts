import type { ProviderOptions } from '../adapters/models/language-models.ts';

/** Every provider pointed at one local server, as a test's own models. */
export function localProviders(url: string): Omit<ProviderOptions, 'condense'> {
  return {
    openai: {
      apiKey: 'sk-test',
      baseUrl: `${url}/v1`,
      model: 'gpt-4o-mini',
      embeddingModel: 'text-embedding-3-small',
      maxOutputTokens: 77,
    },
    azure: {
      apiKey: 'azure-test',
      endpoint: url,
      apiVersion: '2024-10-21',
      deployment: 'gpt-4o',
      embeddingDeployment: 'text-embedding-3-small',
      maxOutputTokens: 77,
    },
    anthropic: { apiKey: 'anthropic-test', baseUrl: url, model: 'claude-haiku-4-5', maxOutputTokens: 77 },
    bedrock: {
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      endpoint: url,
      model: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
      embeddingModel: 'amazon.titan-embed-text-v2:0',
      maxOutputTokens: 77,
    },
    gemini: {
      apiKey: 'gemini-test',
      baseUrl: url,
      model: 'gemini-2.5-flash',
      embeddingModel: 'gemini-embedding-001',
      maxOutputTokens: 77,
    },
    ollama: { baseUrl: url, model: 'llama3.2', embeddingModel: 'nomic-embed-text', maxOutputTokens: 77 },
    compatible: [
      {
        provider: 'lab',
        baseUrl: `${url}/v1`,
        apiKey: 'lab-test',
        model: 'qwen3',
        embeddingModel: 'bge-embed',
        maxOutputTokens: 77,
      },
    ],
  };
}
