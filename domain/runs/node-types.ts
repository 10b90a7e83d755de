import type { JsonSchema, NodeTimeouts, RetryPolicy } from './definition.ts';
import type { TaskQueue } from './queues.ts';

/**
 * How a field of `config` is read:
 * `expression` a CEL string; `mapping` CEL leaves; `template` Handlebars over {input, nodes, run}; `templates` an object of those;
 * `prompt` Handlebars over the node's own `values`, rendered in the activity; `number` an integer or a CEL string; `literal` as it stands.
 */
export type FieldKind = 'expression' | 'mapping' | 'template' | 'templates' | 'prompt' | 'number' | 'literal';
export type ConfigField = {
  kind: FieldKind;
  required?: true;
  /** JSON Schema of a `literal`. */
  schema?: JsonSchema;
  meaning: string;
};

/** Where a node runs, and so what it costs in history: inline 0 events, wait 1-2, activity 3. */
export type NodeClass = 'inline' | 'wait' | 'activity';
export type NodeTypeRow = {
  class: NodeClass;
  /** Ports that edges may leave by; a completed node chooses one. */
  ports: readonly [string, ...string[]];
  meaning: string;
  config: { readonly [name: string]: ConfigField };
  taskQueue?: TaskQueue;
  timeouts?: NodeTimeouts;
  retry?: RetryPolicy;
};

const integer = (minimum: number, maximum: number): JsonSchema => ({ type: 'integer', minimum, maximum });
const ONE_PORT = ['out'] as const;

export const NODE_TYPES = {
  transform: {
    class: 'inline',
    ports: ONE_PORT,
    meaning: 'Computes a value by CEL.',
    config: { value: { kind: 'mapping', required: true, meaning: 'The output.' } },
  },
  template: {
    class: 'inline',
    ports: ONE_PORT,
    meaning: 'Renders a Handlebars template; the output is the text.',
    config: { template: { kind: 'template', required: true, meaning: 'The template.' } },
  },
  branch: {
    class: 'inline',
    ports: ['true', 'false'],
    meaning: 'Leaves by the port that the condition says; the other port is dead.',
    config: { condition: { kind: 'expression', required: true, meaning: 'Must give a bool.' } },
  },
  merge: {
    class: 'inline',
    ports: ONE_PORT,
    meaning: 'Joins branches: waits for every live predecessor, never for a skipped one.',
    config: {
      mode: {
        kind: 'literal',
        schema: { enum: ['object', 'list', 'first'] },
        meaning:
          '`object` (default): outputs by predecessor id; `list`: in definition order; `first`: of the first live predecessor in definition order.',
      },
    },
  },
  delay: {
    class: 'wait',
    ports: ONE_PORT,
    meaning: 'Waits by a durable timer.',
    config: { durationMs: { kind: 'number', required: true, meaning: 'How long, in ms.' } },
  },
  approval: {
    class: 'wait',
    ports: ['approved', 'rejected', 'timed_out'],
    meaning: 'Waits for a person. The output is {decision, comment, data, decidedBy}.',
    config: {
      title: { kind: 'template', required: true, meaning: 'What is asked.' },
      message: { kind: 'template', meaning: 'More about it.' },
      assignee: { kind: 'template', meaning: 'Who should answer.' },
      timeoutMs: { kind: 'number', meaning: 'How long to wait; default is for ever.' },
      onTimeout: {
        kind: 'literal',
        schema: { enum: ['fail', 'approve', 'reject', 'route'] },
        meaning: '`fail` (default) fails the node; `approve` and `reject` decide so; `route` leaves by `timed_out`.',
      },
      onReject: {
        kind: 'literal',
        schema: { enum: ['route', 'fail'] },
        meaning: '`route` (default) leaves by `rejected`; `fail` fails the node.',
      },
    },
  },
  http: {
    class: 'activity',
    ports: ONE_PORT,
    meaning: 'One HTTP exchange. The output is {status, headers, body, url}.',
    taskQueue: 'runs',
    timeouts: { startToCloseMs: 60_000, heartbeatMs: 10_000 },
    retry: { maximumAttempts: 5, initialIntervalMs: 1_000, backoffCoefficient: 2, maximumIntervalMs: 60_000 },
    config: {
      url: { kind: 'template', required: true, meaning: 'Absolute http or https address; use {{encode x}} for parts.' },
      method: {
        kind: 'literal',
        schema: { enum: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] },
        meaning: 'Default GET.',
      },
      headers: { kind: 'templates', meaning: 'Request headers.' },
      body: { kind: 'mapping', meaning: 'Strings go as they are, anything else as JSON.' },
      timeoutMs: { kind: 'literal', schema: integer(1, 600_000), meaning: 'Whole exchange; default 30,000.' },
      maxResponseBytes: { kind: 'literal', schema: integer(1, 16_777_216), meaning: 'Default 1,048,576.' },
      failOnStatus: { kind: 'literal', schema: { type: 'boolean' }, meaning: 'Fail on a status >= 400; default true.' },
    },
  },
  'content.analyze': {
    class: 'activity',
    ports: ONE_PORT,
    meaning: 'Language, keywords, concepts, sentiment, readability and an extractive summary, by rules.',
    taskQueue: 'content',
    timeouts: { startToCloseMs: 300_000, heartbeatMs: 10_000 },
    retry: { maximumAttempts: 5, initialIntervalMs: 1_000, backoffCoefficient: 2, maximumIntervalMs: 30_000 },
    config: {
      text: { kind: 'expression', required: true, meaning: 'The text.' },
      title: { kind: 'expression', meaning: 'Its title.' },
      maxKeywords: { kind: 'literal', schema: integer(1, 100), meaning: 'Default 15.' },
      maxConcepts: { kind: 'literal', schema: integer(1, 100), meaning: 'Default 20.' },
      summarySentences: { kind: 'literal', schema: integer(1, 50), meaning: 'Default 5.' },
    },
  },
  'model.complete': {
    class: 'activity',
    ports: ONE_PORT,
    meaning: 'One completion of a language model. The output is {text, provider, model, finishReason, usage}.',
    taskQueue: 'models',
    timeouts: { startToCloseMs: 300_000, heartbeatMs: 10_000 },
    retry: { maximumAttempts: 5, initialIntervalMs: 1_000, backoffCoefficient: 2, maximumIntervalMs: 60_000 },
    config: {
      prompt: { kind: 'prompt', required: true, meaning: 'Handlebars over `values`.' },
      system: { kind: 'prompt', meaning: 'Handlebars over `values`.' },
      values: { kind: 'mapping', meaning: 'What the prompt may name.' },
      source: { kind: 'expression', meaning: 'The text that the answer must be drawn from.' },
      provider: { kind: 'literal', schema: { type: 'string' }, meaning: 'Default is the setting WEFT_MODEL_PROVIDER.' },
      model: { kind: 'literal', schema: { type: 'string' }, meaning: "Default is the provider's." },
      maxOutputTokens: { kind: 'literal', schema: integer(1, 1_000_000), meaning: "Default is the provider's." },
      temperature: {
        kind: 'literal',
        schema: { type: 'number', minimum: 0, maximum: 2 },
        meaning: "Default is the provider's.",
      },
    },
  },
} as const satisfies { [type: string]: NodeTypeRow };

export type NodeType = keyof typeof NODE_TYPES;

export function isNodeType(value: unknown): value is NodeType {
  return typeof value === 'string' && Object.hasOwn(NODE_TYPES, value);
}

export const nodeTypeRow = (type: NodeType): NodeTypeRow => NODE_TYPES[type];
