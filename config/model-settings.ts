import type { SettingRow } from './settings.ts';

/** Providers of models, and the tokens they send. */
export const MODEL_SETTINGS = {
  WEFT_MODEL_PROVIDER: {
    kind: 'string',
    default: null,
    meaning:
      'Provider of model.complete nodes that name none. Unset: the first of openai, anthropic, gemini, azure-openai and ollama that is set up, else offline-extractive.',
  },
  WEFT_EMBEDDING_PROVIDER: {
    kind: 'string',
    default: null,
    meaning:
      'Provider of model.embed nodes that name none. Unset: that of model.complete where it makes embeddings, else offline-lexical.',
  },
  WEFT_MODEL_MAX_TOKENS: {
    kind: 'integer',
    default: 4000,
    min: 1,
    max: 1000000,
    meaning: 'Output tokens when a node names none; OPENAI_MAX_TOKENS for OpenAI.',
  },
  WEFT_MODELS_FILE: {
    kind: 'string',
    default: null,
    meaning: 'JSON file with further providers that speak chat completions; docs/models.md has its fields.',
  },
  OPENAI_API_KEY: { kind: 'string', default: null, meaning: 'Key for OpenAI or a compatible server.', secret: true },
  OPENAI_BASE_URL: { kind: 'string', default: null, meaning: 'Base address of an OpenAI-compatible server.' },
  OPENAI_MODEL: { kind: 'string', default: 'gpt-4o-mini', meaning: 'Model of openai nodes that name none.' },
  OPENAI_EMBEDDING_MODEL: { kind: 'string', default: 'text-embedding-3-small', meaning: 'The same for embeddings.' },
  OPENAI_MAX_TOKENS: {
    kind: 'integer',
    default: 4000,
    min: 1,
    max: 1000000,
    meaning: 'Output tokens when a node names none.',
  },
  AZURE_OPENAI_API_KEY: { kind: 'string', default: null, meaning: 'Key of an Azure OpenAI resource.', secret: true },
  AZURE_OPENAI_ENDPOINT: {
    kind: 'string',
    default: null,
    meaning: 'Address of that resource, such as https://name.openai.azure.com.',
  },
  AZURE_OPENAI_API_VERSION: { kind: 'string', default: '2024-10-21', meaning: 'Version of its API.' },
  AZURE_OPENAI_DEPLOYMENT: {
    kind: 'string',
    default: 'gpt-4o-mini',
    meaning: 'Deployment of azure-openai nodes that name no model.',
  },
  AZURE_OPENAI_EMBEDDING_DEPLOYMENT: { kind: 'string', default: null, meaning: 'The same for embeddings.' },
  ANTHROPIC_API_KEY: { kind: 'string', default: null, meaning: 'Key for Anthropic.', secret: true },
  ANTHROPIC_BASE_URL: { kind: 'string', default: null, meaning: 'Another address that speaks its API.' },
  ANTHROPIC_MODEL: {
    kind: 'string',
    default: 'claude-sonnet-5-5',
    meaning: 'Model of anthropic nodes that name none.',
  },
  AWS_REGION: { kind: 'string', default: null, meaning: 'Region of Bedrock.' },
  AWS_ACCESS_KEY_ID: {
    kind: 'string',
    default: null,
    meaning: "Access key for Bedrock. Unset: the AWS SDK's credential chain.",
  },
  AWS_SECRET_ACCESS_KEY: { kind: 'string', default: null, meaning: 'Its secret.', secret: true },
  AWS_SESSION_TOKEN: { kind: 'string', default: null, meaning: 'Its session token, if it has one.', secret: true },
  BEDROCK_ENDPOINT: { kind: 'string', default: null, meaning: 'Another address of Bedrock, such as a VPC endpoint.' },
  BEDROCK_MODEL: {
    kind: 'string',
    default: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
    meaning: 'Model or inference profile of bedrock nodes that name none.',
  },
  BEDROCK_EMBEDDING_MODEL: {
    kind: 'string',
    default: 'amazon.titan-embed-text-v2:0',
    meaning: 'The same for embeddings.',
  },
  GEMINI_API_KEY: { kind: 'string', default: null, meaning: 'Key for the Gemini API.', secret: true },
  GEMINI_BASE_URL: { kind: 'string', default: null, meaning: 'Another address that speaks its API.' },
  GEMINI_MODEL: { kind: 'string', default: 'gemini-2.5-flash', meaning: 'Model of gemini nodes that name none.' },
  GEMINI_EMBEDDING_MODEL: { kind: 'string', default: 'gemini-embedding-001', meaning: 'The same for embeddings.' },
  OLLAMA_BASE_URL: {
    kind: 'string',
    default: null,
    meaning: 'Address of an Ollama server, such as http://127.0.0.1:11434.',
  },
  OLLAMA_MODEL: { kind: 'string', default: 'llama3.2', meaning: 'Model of ollama nodes that name none.' },
  OLLAMA_EMBEDDING_MODEL: { kind: 'string', default: 'nomic-embed-text', meaning: 'The same for embeddings.' },
  WEFT_STREAM_FLUSH_MS: {
    kind: 'integer',
    default: 40,
    min: 5,
    max: 1000,
    meaning: 'How often a worker hands on the tokens that came meanwhile.',
  },
  WEFT_STREAM_RETENTION_MINUTES: {
    kind: 'integer',
    default: 15,
    min: 1,
    max: 1440,
    meaning: 'How long tokens are kept for readers that come late or again.',
  },
  WEFT_MODEL_UNKNOWN_PRICE: {
    kind: 'string',
    default: 'warn',
    choices: ['block', 'zero', 'warn'],
    meaning:
      'What becomes of a call of a model whose price is not known: it is not made (block), costs nothing (zero), or that and a line in the log, the cost being null in events (warn).',
  },
  WEFT_BUDGET_LEASE_MS: {
    kind: 'integer',
    default: 60_000,
    min: 1_000,
    max: 3_600_000,
    meaning: 'How long what a call has reserved of budgets outlives the last sign of its worker.',
  },
  WEFT_BUDGET_LOST_CALLS: {
    kind: 'string',
    default: 'release',
    choices: ['release', 'charge'],
    meaning:
      'What becomes of what a call has reserved of budgets when its worker is lost before it could say what the call came to: given back, or counted as used.',
  },
} as const satisfies Record<string, SettingRow>;
