import type { ErrorRow } from '../errors.ts';

const server = (f: { readonly [name: string]: unknown }): string => String(f['server']);

/** Rows of the error table, of calls to the outside. */
export const TOOL_ERRORS = {
  HTTP_ADDRESS_DENIED: {
    status: 403,
    retry: false,
    message: (f) => `The address ${String(f['address'])} of ${String(f['host'])} is private and may not be called`,
    hint: 'Allow it by WEFT_HTTP_ALLOWED_HOSTS if that is intended.',
  },
  HTTP_REQUEST_INVALID: {
    status: 422,
    retry: false,
    message: (f) => `The HTTP request is not valid: ${String(f['detail'])}`,
  },
  HTTP_RESPONSE_TOO_LARGE: {
    status: 502,
    retry: false,
    message: (f) => `The response exceeds ${String(f['limitBytes'])} bytes`,
  },
  HTTP_STATUS: {
    status: 502,
    retry: false,
    message: (f) => `${String(f['method'])} ${String(f['url'])} answered ${String(f['httpStatus'])}`,
  },
  HTTP_UNAVAILABLE: {
    status: 503,
    retry: true,
    message: (f) => `${String(f['method'])} ${String(f['url'])} failed: ${String(f['detail'])}`,
  },
  EFFECT_UNKNOWN: {
    status: 409,
    retry: false,
    message: (f) => `Nobody knows whether attempt ${String(f['attempt'])} of node ${String(f['nodeId'])} took effect`,
    hint: 'Look at the other side by the idempotency key in `run.effects`, then retry or skip the node; `onUnknown: retry` repeats such calls.',
  },
  TOOL_UNKNOWN: {
    status: 404,
    retry: false,
    message: (f) => `There is no tool ${String(f['tool'])}`,
    hint: 'List the tools again: workflows may have been published since.',
  },
  TOOL_SERVER_DENIED: {
    status: 403,
    retry: false,
    message: (f) => `MCP server ${server(f)} may not be used: ${String(f['detail'])}`,
    hint: 'Commands of stdio servers are allowed by WEFT_MCP_STDIO_COMMANDS.',
  },
  TOOL_SERVER_UNAVAILABLE: {
    status: 502,
    retry: true,
    message: (f) => `MCP server ${server(f)} is not available: ${String(f['detail'])}`,
    hint: 'See how it does with `weft mcp test`.',
  },
  TOOL_NOT_ALLOWED: {
    status: 403,
    retry: false,
    message: (f) => `Tool ${String(f['tool'])} of MCP server ${server(f)} is not among those that may be called`,
    hint: 'Add it to the tools of the server if that is intended.',
  },
  TOOL_CHANGED: {
    status: 409,
    retry: false,
    message: (f) =>
      `Tool ${String(f['tool'])} of MCP server ${server(f)} is not what was pinned: its description or schema is another`,
    hint: 'Read what it says now, then pin it again with `weft mcp pin`.',
  },
  TOOL_REFUSED: {
    status: 400,
    retry: false,
    message: (f) => `MCP server ${server(f)} refused the call of ${String(f['tool'])}: ${String(f['detail'])}`,
  },
  TOOL_INPUT_REQUIRED: {
    status: 409,
    retry: false,
    message: (f) =>
      `Tool ${String(f['tool'])} of MCP server ${server(f)} asks: ${String((f['question'] as { message?: unknown } | undefined)?.message)}`,
    hint: 'In a run the node waits for an answer by `approve`; here nobody can give one.',
  },
  TOOL_FAILED: {
    status: 422,
    retry: false,
    message: (f) => `Tool ${String(f['tool'])} of MCP server ${server(f)} failed: ${String(f['detail'])}`,
    hint: 'With `failOnError: false` the node gives the error as its output.',
  },
  TOOL_RESULT_TOO_LARGE: {
    status: 413,
    retry: false,
    message: (f) =>
      `The result of tool ${String(f['tool'])} of MCP server ${server(f)} is ${String(f['bytes'])} bytes; at most ${String(f['limitBytes'])} are taken`,
    hint: 'Raise `maxResultBytes` of the server, or ask the tool for less.',
  },
} as const satisfies { [code: string]: ErrorRow };
