import type { JsonSchema } from './definition.ts';
import { MODEL_NODE_TYPES } from './model-node-types.ts';
import type { ConfigField, NodeTypeRow } from './node-types.ts';

const integer = (minimum: number, maximum: number): JsonSchema => ({ type: 'integer', minimum, maximum });
const text: JsonSchema = { type: 'string', minLength: 1 };
const ONE_PORT = ['out'] as const;
/** Rules, and so nodes, of one agent; a port leads to at most 50. */
const MOST_TOOLS = 40;
const LONGEST_MS = 365 * 24 * 3_600_000;

const { provider, model, models, maxOutputTokens, temperature, topP, seed, reasoning, cache, stream, schema } =
  MODEL_NODE_TYPES['model.complete'].config;

/** What an agent and its turns hand on to the model. */
export const MODEL_FIELDS: { readonly [name: string]: ConfigField } = {
  provider,
  model,
  models,
  maxOutputTokens,
  temperature,
  topP,
  seed,
  reasoning,
  cache,
  stream,
  schema,
};
const SUMMARY_FIELDS = Object.fromEntries(
  Object.entries(MODEL_FIELDS).filter(([name]) => name !== 'schema' && name !== 'stream'),
);

const LIMITS_FIELD: ConfigField = {
  kind: 'literal',
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      turns: integer(1, 1_000),
      microUsd: integer(1, 1_000_000_000_000),
      ms: integer(1, LONGEST_MS),
      callsPerTurn: integer(1, 48),
      resultCharacters: integer(100, 1_000_000),
    },
  },
  meaning:
    '`turns` (default 20), `microUsd`, `ms`, `callsPerTurn` (default 16) and `resultCharacters` that the model is shown of a result (default 20,000).',
};
const ON_LIMIT: ConfigField = {
  kind: 'literal',
  schema: { enum: ['answer', 'fail'] },
  meaning:
    'At a limit: `answer` (default) ends with what there is, the last turn being asked for an answer without tools; `fail` fails with AGENT_TURNS_EXHAUSTED, AGENT_MONEY_EXHAUSTED or AGENT_TIME_EXHAUSTED.',
};

const TOOL = {
  type: 'object',
  additionalProperties: false,
  oneOf: ['mcp', 'node', 'workflow', 'agent'].map((kind) => ({ required: [kind] })),
  properties: {
    name: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' },
    description: { type: 'string' },
    parameters: { type: 'object' },
    approval: { enum: ['never', 'always', 'when'] },
    when: text,
    assignees: { type: 'array', minItems: 1, items: text },
    approvalTimeoutMs: integer(1, LONGEST_MS),
    mcp: {
      type: 'object',
      additionalProperties: false,
      required: ['server'],
      properties: { server: text, tool: text },
    },
    node: {
      type: 'object',
      additionalProperties: false,
      required: ['type'],
      properties: {
        type: text,
        config: { type: 'object' },
        retry: { type: 'object' },
        timeouts: { type: 'object' },
        taskQueue: text,
      },
    },
    workflow: text,
    version: integer(1, 1_000_000),
    agent: { type: 'object' },
  },
} satisfies JsonSchema;

const OFFERS: JsonSchema = {
  type: 'array',
  items: { type: 'object', required: ['name', 'description', 'parameters', 'rule'] },
};
const RETRY = { maximumAttempts: 5, initialIntervalMs: 1_000, backoffCoefficient: 2, maximumIntervalMs: 60_000 };

/** Rows of the node table, of agents. */
export const AGENT_NODE_TYPES = {
  agent: {
    class: 'child',
    ports: ONE_PORT,
    meaning:
      'An agent: a model that is asked again and again, and whose calls of tools are made, until it has answered. A run of its own, each turn and each call a node of it. The output is {text, object, finish, turns, costMicroUsd, spent, messages}; `finish` is `done`, or the limit that was reached: `turns`, `money`, `time`.',
    config: {
      preset: {
        kind: 'literal',
        schema: { enum: ['research', 'content-generation', 'analysis'] },
        meaning: 'An agent for common work: what it is, its limits and tools, which the other fields add to.',
      },
      prompt: { kind: 'template', meaning: 'What it is to do.' },
      system: { kind: 'template', meaning: 'What it is.' },
      messages: { kind: 'expression', meaning: 'A conversation that goes before; default [].' },
      values: { kind: 'mapping', meaning: '`input.values` of what its tools are made of; default {}.' },
      tools: {
        kind: 'literal',
        schema: { type: 'array', maxItems: MOST_TOOLS, items: TOOL },
        meaning:
          'What it may call, each with one of `mcp` {server, tool}, `node` {type, config}, `workflow` and `agent`; besides `name`, `description`, `parameters`, `approval` (`never`, `always`, `when` with a CEL expression over item.input), `assignees`, `approvalTimeoutMs`.',
      },
      limits: LIMITS_FIELD,
      onLimit: ON_LIMIT,
      concurrency: { kind: 'literal', schema: integer(1, 48), meaning: 'Calls side by side; default 8.' },
      context: {
        kind: 'literal',
        schema: {
          type: 'object',
          additionalProperties: false,
          properties: { maxTokens: integer(100, 10_000_000), keep: integer(1, 1_000) },
        },
        meaning:
          'A conversation of more than `maxTokens` (default 100,000) is put into a summary, but for its last `keep` messages (default 8).',
      },
      chat: {
        kind: 'literal',
        schema: {
          anyOf: [
            { type: 'boolean' },
            { type: 'object', additionalProperties: false, properties: { idleMs: integer(1, LONGEST_MS) } },
          ],
        },
        meaning:
          'Goes on listening after an answer, until it is told that the chat is over, or nobody writes for `idleMs`.',
      },
      ...MODEL_FIELDS,
      workflow: { kind: 'literal', schema: { type: 'string' }, meaning: 'Filled in when published: what it runs.' },
      version: { kind: 'literal', schema: integer(1, 1_000_000), meaning: 'Filled in when published.' },
      hash: { kind: 'literal', schema: { type: 'string' }, meaning: 'Filled in when published.' },
    },
  },
  'agent.turn': {
    class: 'activity',
    ports: ONE_PORT,
    meaning:
      'One turn of an agent: what has come in goes to the model, which answers or asks for calls. Agents are made of it. The output is {added, text, object, calls, stop, spent, startedAt, tokens, provider, model, finishReason, usage, costMicroUsd}.',
    taskQueue: 'models',
    timeouts: { startToCloseMs: 600_000, heartbeatMs: 10_000 },
    retry: RETRY,
    config: {
      messages: { kind: 'expression', required: true, meaning: 'The conversation so far.' },
      system: { kind: 'expression', meaning: 'What the agent is.' },
      instructions: { kind: 'literal', schema: { type: 'string' }, meaning: 'What it is where `system` is empty.' },
      results: { kind: 'expression', meaning: 'Of the calls of the last turn, each {id, name, rule, outcome}.' },
      mail: { kind: 'expression', meaning: 'Messages of people, each {data: {text}}.' },
      spent: { kind: 'mapping', meaning: 'As the turn before gave it.' },
      startedAt: { kind: 'expression', meaning: 'As the turn before gave it; 0 for the first.' },
      isLast: { kind: 'expression', meaning: 'Whether no turn may follow.' },
      tools: {
        kind: 'literal',
        schema: OFFERS,
        meaning: 'What is offered, each {name, description, parameters, rule}.',
      },
      discovered: { kind: 'expression', meaning: 'What is offered besides: the output of `agent.tools`.' },
      kinds: {
        kind: 'literal',
        schema: { type: 'array', items: { enum: ['mcp', 'node', 'workflow', 'agent'] } },
        meaning: 'What the tools are, by rule.',
      },
      limits: LIMITS_FIELD,
      onLimit: ON_LIMIT,
      ...MODEL_FIELDS,
    },
  },
  'agent.tools': {
    class: 'activity',
    ports: ONE_PORT,
    meaning: 'What MCP servers offer an agent, as far as it may be called. The output is {tools}.',
    taskQueue: 'runs',
    timeouts: { startToCloseMs: 120_000, heartbeatMs: 10_000 },
    retry: RETRY,
    repeatable: () => false,
    config: {
      servers: {
        kind: 'literal',
        required: true,
        schema: {
          type: 'array',
          minItems: 1,
          maxItems: MOST_TOOLS,
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['server', 'rule'],
            properties: { server: text, tool: text, name: text, rule: integer(0, MOST_TOOLS) },
          },
        },
        meaning: 'Each {server, tool, name, rule}; without `tool` all that the server has.',
      },
    },
  },
  'agent.summarize': {
    class: 'activity',
    ports: ONE_PORT,
    meaning:
      'Puts a conversation into a summary, but for its end. The output is {messages, summarized, spent, usage, costMicroUsd}.',
    taskQueue: 'models',
    timeouts: { startToCloseMs: 600_000, heartbeatMs: 10_000 },
    retry: RETRY,
    config: {
      messages: { kind: 'expression', required: true, meaning: 'The conversation.' },
      spent: { kind: 'mapping', meaning: 'As the turn before gave it.' },
      keep: { kind: 'literal', schema: integer(1, 1_000), meaning: 'The last messages, which stay; default 8.' },
      ...SUMMARY_FIELDS,
    },
  },
} as const satisfies { [type: string]: NodeTypeRow };
