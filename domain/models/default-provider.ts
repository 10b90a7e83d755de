/** The provider of nodes that name none: the one set, else OpenAI where there is a key, else the one that needs nothing. */
export function defaultProvider(provider: string | null, openAiKey: string | null): string {
  return provider ?? (openAiKey === null ? 'offline-extractive' : 'openai');
}
