import { AGENT_NODE_TYPES } from './agent-node-types.ts';
import { MODEL_NODE_TYPES } from './model-node-types.ts';
import { TOOL_NODE_TYPES } from './tool-node-types.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import type { JsonSchema, NodeDefinition, NodeTimeouts, RetryPolicy } from './definition.ts';
import { LIMITS } from './limits.ts';
import type { TaskQueue } from './queues.ts';

/**
 * How a field of `config` is read:
 * `expression` a CEL string; `mapping` CEL leaves; `template` Handlebars over {input, nodes, run}; `templates` an object of those;
 * `prompt` Handlebars over the node's own `values`, rendered in the activity; `number` an integer or a CEL string; `literal` as it stands;
 * `cases` a list of {port, when: CEL}.
 */
export type FieldKind = 'expression' | 'mapping' | 'template' | 'templates' | 'prompt' | 'number' | 'literal' | 'cases';
export type ConfigField = {
  kind: FieldKind;
  /** Where it is evaluated; default is before the node starts. `body`: in the container's body, where `item` or `loop` exist. */
  scope?: 'body';
  required?: true;
  /** JSON Schema of a `literal`. */
  schema?: JsonSchema;
  meaning: string;
};

/**
 * Where a node runs, and so what it costs in history: inline 0 events, wait 1-2, activity 3, child 3-4; a container costs what its
 * body costs; `none` never runs.
 */
export type NodeClass = 'inline' | 'wait' | 'activity' | 'container' | 'child' | 'none';
export type NodeTypeRow = {
  class: NodeClass;
  /** Ports that edges may leave by; a completed node chooses one. A switch has those of its cases besides. */
  ports: readonly [string, ...string[]];
  meaning: string;
  config: { readonly [name: string]: ConfigField };
  taskQueue?: TaskQueue;
  timeouts?: NodeTimeouts;
  retry?: RetryPolicy;
  /** Whether running it again does no harm, which fusing asks for. */
  repeatable?: (config: JsonObject) => boolean;
  /** Raised when it would come to something else from the same input: results of the version before are not reused. Default 1. */
  implementation?: number;
};

const integer = (minimum: number, maximum: number): JsonSchema => ({ type: 'integer', minimum, maximum });
const ONE_PORT = ['out'] as const;
const TIMEOUT_FIELDS = {
  timeoutMs: { kind: 'number', meaning: 'How long to wait; default is for ever.' },
  onTimeout: {
    kind: 'literal',
    schema: { enum: ['fail', 'route'] },
    meaning: '`fail` (default) fails the node; `route` leaves by `timed_out`.',
  },
} as const satisfies NodeTypeRow['config'];
const REPEATABLE_METHODS: readonly unknown[] = [undefined, 'GET', 'HEAD'];

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
  switch: {
    class: 'inline',
    ports: ['default'],
    meaning:
      'Leaves by the port of the first case that is true, else by `default`; the other ports are dead. The output is {port}.',
    config: { cases: { kind: 'cases', required: true, meaning: 'A list of {port, when}.' } },
  },
  set: {
    class: 'inline',
    ports: ONE_PORT,
    meaning: 'Changes variables for what follows; the output are the new values.',
    config: { values: { kind: 'mapping', required: true, meaning: 'By variable.' } },
  },
  fail: {
    class: 'inline',
    ports: ONE_PORT,
    meaning: 'Fails with a code and a message.',
    config: {
      code: { kind: 'literal', required: true, schema: { type: 'string' }, meaning: 'Such as OUT_OF_STOCK.' },
      message: { kind: 'template', required: true, meaning: 'Why.' },
    },
  },
  note: {
    class: 'none',
    ports: ONE_PORT,
    meaning: 'A remark in the drawing; never runs and has no edges.',
    config: { text: { kind: 'literal', required: true, schema: { type: 'string' }, meaning: 'The remark.' } },
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
    meaning: 'Waits for a person. The output is {decision, comment, data, decidedBy, answers}.',
    config: {
      title: { kind: 'template', required: true, meaning: 'What is asked.' },
      message: { kind: 'template', meaning: 'More about it.' },
      assignee: { kind: 'template', meaning: 'Who should answer.' },
      assignees: { kind: 'expression', meaning: 'A list of those who may answer; default anybody.' },
      quorum: { kind: 'number', meaning: 'Approvals it takes; default 1.' },
      form: {
        kind: 'literal',
        schema: { type: 'object' },
        meaning: 'JSON Schema of the data that an answer must carry.',
      },
      escalation: {
        kind: 'literal',
        schema: {
          type: 'array',
          maxItems: 20,
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['afterMs', 'assignees'],
            properties: {
              afterMs: integer(1, LIMITS.timeoutMs),
              assignees: { type: 'array', items: { type: 'string' } },
            },
          },
        },
        meaning: 'Who may answer besides, and how long after the question.',
      },
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
  until: {
    class: 'wait',
    ports: ONE_PORT,
    meaning: 'Waits until a moment; one that is past is over at once.',
    config: { at: { kind: 'expression', required: true, meaning: 'RFC 3339 text or ms since the epoch.' } },
  },
  wait: {
    class: 'wait',
    ports: ['received', 'timed_out'],
    meaning: 'Waits for an event. The output is {id, name, correlation, data}.',
    config: {
      event: { kind: 'literal', required: true, schema: { type: 'string' }, meaning: 'Name of the event.' },
      correlation: { kind: 'expression', meaning: 'Only an event with this correlation counts; default any.' },
      schema: {
        kind: 'literal',
        schema: { type: 'object' },
        meaning: 'JSON Schema of its data; others are passed over.',
      },
      atOnce: {
        kind: 'literal',
        schema: { type: 'boolean' },
        meaning: 'Does not wait: takes all that have come already. The output is {events}.',
      },
      ...TIMEOUT_FIELDS,
    },
  },
  webhook: {
    class: 'wait',
    ports: ['received', 'timed_out'],
    meaning: 'Waits for a POST to the signed address run.webhooks.<id>. The output is {data}.',
    config: {
      schema: { kind: 'literal', schema: { type: 'object' }, meaning: 'JSON Schema of the body; others are refused.' },
      ...TIMEOUT_FIELDS,
    },
  },
  map: {
    class: 'container',
    ports: ONE_PORT,
    meaning: 'Runs its body once for each item. The output is {results, failed}, results in the order of the items.',
    config: {
      items: { kind: 'expression', required: true, meaning: 'A list of at most 10,000.' },
      concurrency: {
        kind: 'literal',
        schema: integer(1, LIMITS.mapConcurrency),
        meaning: 'Items at a time; default 10.',
      },
      onItemError: {
        kind: 'literal',
        schema: { enum: ['fail', 'continue'] },
        meaning:
          '`fail` (default) starts no further item and fails; `continue` lists it in `failed`, its result is null.',
      },
      chunkSize: {
        kind: 'literal',
        schema: integer(1, 1_000),
        meaning:
          'Items of one child run; default 50. More than 50 items run in child runs, unless all nodes inside are inline.',
      },
      result: {
        kind: 'mapping',
        scope: 'body',
        meaning: "What an item gives; default is what the body's last nodes give.",
      },
    },
  },
  loop: {
    class: 'container',
    ports: ['out', 'bound'],
    meaning: 'Runs its body again and again. The output is {iterations, state}.',
    config: {
      while: { kind: 'expression', scope: 'body', meaning: 'Asked before each pass, over pass.index and pass.state.' },
      until: { kind: 'expression', scope: 'body', meaning: 'Asked after each pass, of the next state.' },
      maximumIterations: {
        kind: 'literal',
        required: true,
        schema: integer(1, LIMITS.loopIterations),
        meaning: 'The bound.',
      },
      state: { kind: 'mapping', meaning: 'pass.state of the first pass; default null.' },
      next: { kind: 'mapping', scope: 'body', meaning: 'pass.state of the next pass; default as it was.' },
      onBound: {
        kind: 'literal',
        schema: { enum: ['fail', 'route'] },
        meaning: 'At the bound: `fail` (default), or `route` to leave by `bound`.',
      },
    },
  },
  try: {
    class: 'container',
    ports: ['out', 'error'],
    meaning: 'Runs its body; a failure inside leaves by `error` with {error} as output.',
    config: {
      result: { kind: 'mapping', scope: 'body', meaning: "The output; default is what the body's last nodes give." },
    },
  },
  subworkflow: {
    class: 'child',
    ports: ONE_PORT,
    meaning: 'A run of another workflow; the output is its output.',
    config: {
      workflow: { kind: 'literal', required: true, schema: { type: 'string' }, meaning: 'Its name.' },
      version: {
        kind: 'literal',
        schema: integer(1, 1_000_000),
        meaning: 'Filled in when published; default the latest.',
      },
      hash: { kind: 'literal', schema: { type: 'string' }, meaning: 'Of that version; filled in when published.' },
      input: { kind: 'mapping', meaning: 'Its input; default {}.' },
    },
  },
  emit: {
    class: 'activity',
    ports: ONE_PORT,
    meaning: 'Emits an event, which may start or wake runs. The output is {id}.',
    taskQueue: 'runs',
    timeouts: { startToCloseMs: 30_000 },
    retry: { maximumAttempts: 10, initialIntervalMs: 500, backoffCoefficient: 2, maximumIntervalMs: 30_000 },
    repeatable: () => true,
    config: {
      event: { kind: 'template', required: true, meaning: 'Name of the event.' },
      correlation: { kind: 'expression', meaning: 'What a `wait` may ask for.' },
      data: { kind: 'mapping', meaning: 'Its data; default null.' },
    },
  },
  http: {
    class: 'activity',
    ports: ONE_PORT,
    meaning: 'One HTTP exchange. The output is {status, headers, body, url}.',
    taskQueue: 'runs',
    repeatable: (config) => REPEATABLE_METHODS.includes(config['method']),
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
      onUnknown: {
        kind: 'literal',
        schema: { enum: ['retry', 'fail'] },
        meaning:
          'When an earlier attempt may have taken effect, and the method is not GET or HEAD: `retry` (default) calls again with the same Idempotency-Key, `fail` fails with EFFECT_UNKNOWN.',
      },
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
  ...MODEL_NODE_TYPES,
  ...TOOL_NODE_TYPES,
  ...AGENT_NODE_TYPES,
} as const satisfies { [type: string]: NodeTypeRow };

export type NodeType = keyof typeof NODE_TYPES;

export function isNodeType(value: unknown): value is NodeType {
  return typeof value === 'string' && Object.hasOwn(NODE_TYPES, value);
}

export const nodeTypeRow = (type: NodeType): NodeTypeRow => NODE_TYPES[type];

/** The ports that edges may leave a node by. */
export function portsOf(node: Pick<NodeDefinition, 'type' | 'config' | 'onError'>): readonly string[] {
  const row = nodeTypeRow(node.type as NodeType);
  const cases = node.type === 'switch' && Array.isArray(node.config?.['cases']) ? node.config['cases'] : [];
  const named = cases.flatMap((one) => (isJsonObject(one) && typeof one['port'] === 'string' ? [one['port']] : []));
  const error = node.onError === 'route' && !row.ports.includes('error') ? ['error'] : [];
  return [...new Set([...named, ...row.ports, ...error])];
}
