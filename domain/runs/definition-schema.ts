import type { JsonObject } from '../json.ts';
import { FLOW_SCHEMA } from './flow-control/flow-schema.ts';
import { LIMITS } from './limits.ts';
import { type ConfigField, NODE_TYPES, type NodeClass, type NodeTypeRow } from './node-types.ts';

/** JSON Schema (draft 2020-12) of a definition, for editors; made from the node table, published as docs/workflow.schema.json. */
export function definitionJsonSchema(): JsonObject {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://weft.dev/workflow.schema.json',
    title: 'Weft workflow definition',
    type: 'object',
    required: ['name', 'nodes', 'edges'],
    additionalProperties: false,
    properties: {
      $schema: { type: 'string' },
      name: { type: 'string', pattern: '^[a-z][a-z0-9-]*$', maxLength: LIMITS.nameLength },
      description: { type: 'string' },
      input: { type: ['object', 'boolean'], description: 'JSON Schema of the run input' },
      variables: { type: 'object', description: 'Variables and their first values' },
      nodes: { type: 'array', minItems: 1, maxItems: LIMITS.nodes, items: { oneOf: nodeSchemas() } },
      edges: { type: 'array', maxItems: LIMITS.edges, items: EDGE },
      output: { $ref: '#/$defs/mapping' },
      policies: {
        type: 'object',
        additionalProperties: false,
        properties: {
          runTimeoutMs: milliseconds(),
          onNodeFailure: { enum: ['drain', 'cancel', 'pause'] },
          ...FLOW_SCHEMA,
        },
      },
      metadata: { type: 'object' },
    },
    $defs: {
      expression: {
        type: 'string',
        maxLength: LIMITS.expressionLength,
        description: 'CEL over input, nodes.<id>.output, run, vars; item and index in a map, pass in a loop',
      },
      mapping: {
        anyOf: [{ $ref: '#/$defs/expression' }, { type: 'object', additionalProperties: { $ref: '#/$defs/mapping' } }],
      },
      template: { type: 'string', maxLength: LIMITS.templateLength, description: 'Handlebars' },
      undo: {
        type: 'object',
        required: ['type'],
        additionalProperties: false,
        description: 'The activity that undoes the node when the run fails or is cancelled',
        properties: {
          type: { enum: activityTypes() },
          name: { type: 'string' },
          config: { type: 'object' },
          retry: RETRY,
          timeouts: TIMEOUTS,
          taskQueue: { type: 'string' },
        },
      },
    },
  };
}

const milliseconds = (): JsonObject => ({ type: 'integer', minimum: 1, maximum: LIMITS.timeoutMs });

const activityTypes = (): string[] =>
  Object.entries<NodeTypeRow>(NODE_TYPES).flatMap(([type, row]) => (row.class === 'activity' ? [type] : []));

/** Classes whose results a rerun may take over. */
const ADDRESSED: readonly NodeClass[] = ['activity', 'child', 'wait'];

const EDGE: JsonObject = {
  type: 'object',
  required: ['from', 'to'],
  additionalProperties: false,
  properties: { from: { type: 'string' }, to: { type: 'string' }, port: { type: 'string' } },
};

function nodeSchemas(): JsonObject[] {
  return Object.entries<NodeTypeRow>(NODE_TYPES).map(([type, row]) => {
    const required = Object.keys(row.config).filter((name) => row.config[name]?.required);
    return {
      type: 'object',
      title: type,
      description: row.meaning,
      required: required.length > 0 ? ['id', 'type', 'config'] : ['id', 'type'],
      additionalProperties: false,
      properties: {
        id: { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_]*$', maxLength: LIMITS.nodeIdLength },
        type: { const: type },
        name: { type: 'string' },
        config: {
          type: 'object',
          required,
          additionalProperties: false,
          properties: Object.fromEntries(Object.entries(row.config).map(([name, field]) => [name, fieldSchema(field)])),
        },
        parent: { type: 'string', description: 'The container in whose body the node is' },
        ...(row.class === 'none' ? {} : { onError: { enum: ['fail', 'continue', 'route'] } }),
        ...(row.class === 'none' ? {} : { fallback: { $ref: '#/$defs/mapping' } }),
        ...(row.class === 'none' ? {} : { undo: { $ref: '#/$defs/undo' } }),
        ...(ADDRESSED.includes(row.class) ? { reuse: { enum: ['same', 'always', 'never'] } } : {}),
        ...(row.class === 'activity'
          ? { retry: RETRY, timeouts: TIMEOUTS, taskQueue: { type: 'string' }, fuse: { type: 'boolean' } }
          : {}),
      },
    };
  });
}

function fieldSchema(field: ConfigField): JsonObject {
  const description = field.meaning;
  switch (field.kind) {
    case 'literal':
      return { ...(typeof field.schema === 'object' ? field.schema : {}), description };
    case 'expression':
    case 'mapping':
      return { $ref: `#/$defs/${field.kind}`, description };
    case 'template':
    case 'prompt':
      return { $ref: '#/$defs/template', description };
    case 'templates':
      return { type: 'object', additionalProperties: { $ref: '#/$defs/template' }, description };
    case 'cases':
      return {
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.fanOut,
        items: {
          type: 'object',
          required: ['port', 'when'],
          additionalProperties: false,
          properties: {
            port: { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_]*$' },
            when: { $ref: '#/$defs/expression' },
          },
        },
        description,
      };
    case 'number':
      return {
        anyOf: [{ type: 'integer', minimum: 0, maximum: LIMITS.timeoutMs }, { $ref: '#/$defs/expression' }],
        description,
      };
  }
}

const RETRY: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: {
    maximumAttempts: { type: 'integer', minimum: 1, maximum: LIMITS.retryAttempts },
    initialIntervalMs: milliseconds(),
    backoffCoefficient: { type: 'number', minimum: 1, maximum: 100 },
    jitter: { type: 'number', minimum: 0, maximum: 1 },
    maximumIntervalMs: milliseconds(),
    nonRetryableCodes: { type: 'array', items: { type: 'string' } },
  },
};

const TIMEOUTS: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: {
    scheduleToCloseMs: milliseconds(),
    scheduleToStartMs: milliseconds(),
    startToCloseMs: milliseconds(),
    heartbeatMs: milliseconds(),
  },
};
