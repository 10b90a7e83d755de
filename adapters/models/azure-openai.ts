import { AzureOpenAI } from 'openai';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import { LONGEST_CALL_MS } from './openai-client.ts';
import { openAiCapabilities } from './openai-capabilities.ts';
import { createChatModel } from './openai-chat.ts';

export type AzureOpenAiOptions = {
  apiKey: string | null;
  /** Of the resource, such as https://name.openai.azure.com. */
  endpoint: string | null;
  apiVersion: string;
  /** Deployment for requests that name no model. */
  deployment: string;
  embeddingDeployment: string | null;
  maxOutputTokens: number;
};

/** `model` is the name of a deployment. */
export function createAzureOpenAi(options: AzureOpenAiOptions): LanguageModel<AbortSignal> {
  const { apiKey, endpoint, apiVersion, deployment, embeddingDeployment, maxOutputTokens } = options;
  const clients = new Map<string, AzureOpenAI>();
  const clientOf = (name: string): AzureOpenAI => {
    const known = clients.get(name);
    if (known) return known;
    const client = new AzureOpenAI({
      apiKey: apiKey ?? 'none',
      endpoint: endpoint ?? 'https://unset.invalid',
      apiVersion,
      deployment: name,
      organization: null,
      project: null,
      webhookSecret: null,
      adminAPIKey: null,
      maxRetries: 0,
      timeout: LONGEST_CALL_MS,
      logLevel: 'off',
    });
    clients.set(name, client);
    return client;
  };
  const unset = Object.entries({ AZURE_OPENAI_API_KEY: apiKey, AZURE_OPENAI_ENDPOINT: endpoint }).filter(
    ([, value]) => value === null,
  );
  return createChatModel({
    provider: 'azure-openai',
    missing: unset.length === 0 ? null : `${unset.map(([name]) => name).join(' and ')} must be set`,
    clientOf,
    defaults: { model: deployment, embeddingModel: embeddingDeployment },
    maxOutputTokens,
    limitField: 'max_completion_tokens',
    capabilities: (name) =>
      name === embeddingDeployment ? openAiCapabilities('text-embedding-3-small') : openAiCapabilities(name),
  });
}
