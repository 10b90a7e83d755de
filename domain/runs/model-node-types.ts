import type { JsonSchema } from './definition.ts';
import type { NodeTypeRow } from './node-types.ts';

const integer = (minimum: number, maximum: number): JsonSchema => ({ type: 'integer', minimum, maximum });
const ONE_PORT = ['out'] as const;

/** Rows of the node table, of models. */
export const MODEL_NODE_TYPES = {
  'model.complete': {
    class: 'activity',
    ports: ONE_PORT,
    meaning:
      'One completion of a language model. The output is {text, provider, model, finishReason, usage, costMicroUsd}, with `object` where `schema` is set, `toolCalls` where the model calls some, `reasoning` where it shows its thoughts, and `skipped` where others of `models` were passed over.',
    taskQueue: 'models',
    timeouts: { startToCloseMs: 300_000, heartbeatMs: 10_000 },
    retry: { maximumAttempts: 5, initialIntervalMs: 1_000, backoffCoefficient: 2, maximumIntervalMs: 60_000 },
    config: {
      prompt: { kind: 'prompt', required: true, meaning: 'Handlebars over `values`.' },
      system: { kind: 'prompt', meaning: 'Handlebars over `values`.' },
      values: { kind: 'mapping', meaning: 'What the prompt may name.' },
      source: { kind: 'expression', meaning: 'The text that the answer must be drawn from.' },
      messages: {
        kind: 'expression',
        meaning: 'The conversation before the prompt: a list of {role, content}, as docs/models.md says.',
      },
      images: { kind: 'expression', meaning: 'Shown with the prompt: a list of addresses, or of {data, mediaType}.' },
      files: { kind: 'expression', meaning: 'Given with the prompt: the same, with `name`.' },
      provider: { kind: 'literal', schema: { type: 'string' }, meaning: 'Default is the setting WEFT_MODEL_PROVIDER.' },
      model: { kind: 'literal', schema: { type: 'string' }, meaning: "Default is the provider's." },
      models: {
        kind: 'literal',
        schema: {
          type: 'array',
          minItems: 1,
          maxItems: 10,
          items: {
            anyOf: [
              { type: 'string', minLength: 1 },
              {
                type: 'object',
                additionalProperties: false,
                required: ['provider'],
                properties: { provider: { type: 'string' }, model: { type: 'string' } },
              },
            ],
          },
        },
        meaning: 'Asked in this order until one answers, each `provider/model`; instead of `provider` and `model`.',
      },
      schema: { kind: 'literal', schema: { type: 'object' }, meaning: 'JSON Schema that the answer must match.' },
      tools: {
        kind: 'literal',
        schema: {
          type: 'array',
          maxItems: 128,
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['name', 'parameters'],
            properties: {
              name: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' },
              description: { type: 'string' },
              parameters: { type: 'object' },
            },
          },
        },
        meaning: 'What the model may ask to be called, each {name, description, parameters}; nothing is called.',
      },
      toolChoice: {
        kind: 'literal',
        schema: {
          anyOf: [
            { enum: ['auto', 'none', 'required'] },
            {
              type: 'object',
              additionalProperties: false,
              required: ['name'],
              properties: { name: { type: 'string' } },
            },
          ],
        },
        meaning: '`auto` (default), `none`, `required`, or {name} of one of them.',
      },
      maxOutputTokens: { kind: 'literal', schema: integer(1, 1_000_000), meaning: "Default is the provider's." },
      temperature: {
        kind: 'literal',
        schema: { type: 'number', minimum: 0, maximum: 2 },
        meaning: "Default is the provider's.",
      },
      topP: {
        kind: 'literal',
        schema: { type: 'number', minimum: 0, maximum: 1 },
        meaning: "Default is the provider's.",
      },
      seed: { kind: 'literal', schema: integer(0, 2_147_483_647), meaning: 'For providers that have one.' },
      stop: {
        kind: 'literal',
        schema: { type: 'array', maxItems: 4, items: { type: 'string', minLength: 1 } },
        meaning: 'Texts at which the model stops.',
      },
      reasoning: {
        kind: 'literal',
        schema: { enum: ['none', 'minimal', 'low', 'medium', 'high'] },
        meaning: "How much a reasoning model thinks first; default is the provider's.",
      },
      cache: {
        kind: 'literal',
        schema: { type: 'boolean' },
        meaning: 'Mark what stays the same for the prompt cache of providers that want it; default true.',
      },
      stream: {
        kind: 'literal',
        schema: { type: 'boolean' },
        meaning: 'Show the tokens as they come to those who look; default true.',
      },
    },
  },
  'model.embed': {
    class: 'activity',
    ports: ONE_PORT,
    meaning: 'Vectors of texts. The output is {embeddings, dimensions, provider, model, usage, costMicroUsd}.',
    taskQueue: 'models',
    timeouts: { startToCloseMs: 300_000, heartbeatMs: 10_000 },
    retry: { maximumAttempts: 5, initialIntervalMs: 1_000, backoffCoefficient: 2, maximumIntervalMs: 60_000 },
    config: {
      texts: { kind: 'expression', required: true, meaning: 'A text, or a list of up to 2,048.' },
      provider: {
        kind: 'literal',
        schema: { type: 'string' },
        meaning: 'Default is the setting WEFT_EMBEDDING_PROVIDER.',
      },
      model: { kind: 'literal', schema: { type: 'string' }, meaning: "Default is the provider's." },
      dimensions: { kind: 'literal', schema: integer(1, 16_384), meaning: "Default is the model's." },
    },
  },
} as const satisfies { [type: string]: NodeTypeRow };
