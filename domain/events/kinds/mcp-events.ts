import { count, eventKind, flag, group, nullable, oneOf, text } from '../event-field.ts';

const by = nullable(text('Who did it; null where nobody had to sign in'));
const id = text('Name of the server');

/** MCP servers and what people do with them; calls in runs are `tool.called`. */
export const MCP_EVENTS = {
  'mcp_server.saved': eventKind('An MCP server was registered or changed', {
    id,
    transport: text('stdio, http, sse or websocket'),
    revision: count('Counts changes'),
    enabled: flag('Whether it may be used'),
    by,
  }),
  'mcp_server.removed': eventKind('An MCP server was forgotten', { id, by }),
  'mcp_server.pinned': eventKind('What tools say of themselves was approved', { id, tools: count('How many'), by }),
  'mcp_server.drifted': eventKind('A tool is not what was approved; its calls are refused', {
    id,
    tool: text('Name of the tool'),
    difference: oneOf('How it differs', ['CHANGED', 'ADDED', 'REMOVED'] as const),
    hash: nullable(text('SHA-256 of what it says of itself now; null where it is gone')),
  }),
  'mcp_server.called': eventKind('Somebody called a tool outside of any run', {
    id,
    tool: text('Name of the tool'),
    requestHash: text('SHA-256 of what was asked, in hexadecimal'),
    outcome: oneOf('Whether an answer came', ['OK', 'FAILED'] as const),
    isError: nullable(flag('Whether the answer is an error; null where none came')),
    error: nullable(
      group('Why there is none', { code: text('Code of the error table'), message: text('Explanation for people') }),
    ),
    durationMs: count('From the request to the answer'),
    by,
  }),
};
