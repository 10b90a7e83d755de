import { Client, type CallToolResult, type Tool, type Transport } from '@modelcontextprotocol/client';
import type { JsonObject } from '../../domain/json.ts';
import type { McpTool } from '../../domain/tools/mcp-server.ts';

export type McpCall = {
  tool: string;
  arguments: JsonObject;
  timeoutMs: number;
  signal: AbortSignal;
  /** Sent in `_meta` as `weft.dev/idempotencyKey`, for servers that know how to tell a repeat. */
  idempotencyKey: string | null;
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
    listChanged: { tools: { autoRefresh: false, onChanged: onToolsChanged } },
  });
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
    call: ({ tool, arguments: given, timeoutMs: timeout, signal: abort, idempotencyKey, onProgress }) =>
      client.callTool(
        {
          name: tool,
          arguments: given,
          ...(idempotencyKey === null ? {} : { _meta: { [IDEMPOTENCY_META]: idempotencyKey } }),
        },
        {
          signal: abort,
          timeout,
          ...(onProgress
            ? {
                resetTimeoutOnProgress: true,
                maxTotalTimeout: timeout,
                onprogress: ({ progress, total = null, message = null }) => onProgress({ progress, total, message }),
              }
            : {}),
        },
      ),
    ping: async (abort, timeout) => {
      if (client.getProtocolEra() === 'modern') await client.discover({ signal: abort, timeout });
      else await client.ping({ signal: abort, timeout });
    },
    isOpen: () => open,
    close: () => client.close(),
  };
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
