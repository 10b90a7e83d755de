import { Client, type CallToolResult, type Progress, type Tool, type Transport } from '@modelcontextprotocol/client';
import type { JsonObject } from '../../domain/json.ts';
import type { McpTool } from '../../domain/tools/mcp-server.ts';
import type { ToolAnswer } from '../../domain/tools/tool-question.ts';
import { answerQuestions } from './answer-questions.ts';

export type McpCall = {
  tool: string;
  arguments: JsonObject;
  timeoutMs: number;
  signal: AbortSignal;
  /** Sent in `_meta` as `weft.dev/idempotencyKey`, for servers that know how to tell a repeat. */
  idempotencyKey: string | null;
  /** To what the tool may ask. */
  answers: readonly ToolAnswer[];
  onProgress?: (progress: { progress: number; total: number | null; message: string | null }) => void;
};

export type McpConnection = {
  /** Such as 2026-07-28. */
  protocolVersion: string | null;
  serverInfo: { name: string; version: string } | null;
  listTools(signal: AbortSignal, timeoutMs: number): Promise<McpTool[]>;
  call(call: McpCall): Promise<CallToolResult>;
  ping(signal: AbortSignal, timeoutMs: number): Promise<void>;
  isOpen(): boolean;
  close(): Promise<void>;
};

export const IDEMPOTENCY_META = 'weft.dev/idempotencyKey';
const CLIENT = { name: 'weft', version: '0.1.0' };

/** Speaks both eras of the protocol: asks for the newest, and shakes hands as of old where that is not understood. */
export async function connectMcp(
  transport: Transport,
  { signal, timeoutMs, onToolsChanged }: { signal: AbortSignal; timeoutMs: number; onToolsChanged: () => void },
): Promise<McpConnection> {
  const client = new Client(CLIENT, {
    versionNegotiation: { mode: 'auto' },
    capabilities: { elicitation: { form: { applyDefaults: true } } },
    listChanged: { tools: { autoRefresh: false, onChanged: onToolsChanged } },
  });
  const questions = answerQuestions(client);
  let open = true;
  Object.assign(client, {
    onclose: () => {
      open = false;
    },
  });
  try {
    await client.connect(transport, { signal, timeout: timeoutMs });
  } catch (error) {
    await client.close().catch(() => undefined);
    throw error;
  }
  const info = client.getServerVersion();
  return {
    protocolVersion: client.getNegotiatedProtocolVersion() ?? null,
    serverInfo: info ? { name: info.name, version: info.version } : null,
    listTools: async (abort, timeout) =>
      (await client.listTools(undefined, { signal: abort, timeout, cacheMode: 'refresh' })).tools.map(toolOf),
    call: (call) => questions.during(call.answers, call.signal, (abort) => sendCall(client, call, abort)),
    ping: async (abort, timeout) => {
      if (client.getProtocolEra() === 'modern') await client.discover({ signal: abort, timeout });
      else await client.ping({ signal: abort, timeout });
    },
    isOpen: () => open,
    close: () => client.close(),
  };
}

function sendCall(
  client: Client,
  { tool, arguments: given, timeoutMs: timeout, idempotencyKey, onProgress }: McpCall,
  signal: AbortSignal,
): Promise<CallToolResult> {
  const meta = idempotencyKey === null ? {} : { _meta: { [IDEMPOTENCY_META]: idempotencyKey } };
  const told = onProgress && {
    resetTimeoutOnProgress: true,
    maxTotalTimeout: timeout,
    onprogress: ({ progress, total, message }: Progress) =>
      onProgress({ progress, total: total ?? null, message: message ?? null }),
  };
  return client.callTool({ name: tool, arguments: given, ...meta }, { signal, timeout, ...told });
}

function toolOf({ name, title, description = '', inputSchema, outputSchema, annotations }: Tool): McpTool {
  return {
    name,
    title: title ?? annotations?.title ?? null,
    description,
    inputSchema: inputSchema as JsonObject,
    outputSchema: (outputSchema ?? null) as JsonObject | null,
    readOnly: annotations?.readOnlyHint ?? false,
    destructive: annotations?.destructiveHint ?? true,
    idempotent: annotations?.idempotentHint ?? false,
  };
}
