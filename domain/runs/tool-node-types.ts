import type { NodeTypeRow } from './node-types.ts';

/** Rows of the node table, of tools on MCP servers. */
export const TOOL_NODE_TYPES = {
  'tool.call': {
    class: 'activity',
    ports: ['out'],
    meaning:
      'One call of a tool of a registered MCP server. The output is {text, content, structured, isError}. A call that nobody knows the end of is repeated only where the tool may be.',
    taskQueue: 'runs',
    timeouts: { startToCloseMs: 300_000, heartbeatMs: 10_000 },
    retry: { maximumAttempts: 5, initialIntervalMs: 1_000, backoffCoefficient: 2, maximumIntervalMs: 60_000 },
    config: {
      server: { kind: 'template', required: true, meaning: 'The name of the server, as registered.' },
      tool: { kind: 'template', required: true, meaning: 'The name of the tool.' },
      arguments: { kind: 'mapping', meaning: 'What it is called with.' },
      failOnError: {
        kind: 'literal',
        schema: { type: 'boolean' },
        meaning: 'A result that is an error fails the node unless this is false.',
      },
      onUnknown: {
        kind: 'literal',
        schema: { enum: ['retry', 'fail'] },
        meaning:
          'What a retry does when an earlier attempt may have taken effect; default is `fail`, or `retry` where the tool may be repeated.',
      },
    },
  },
} as const satisfies { [type: string]: NodeTypeRow };
