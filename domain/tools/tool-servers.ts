import type { JsonObject } from '../json.ts';
import type { ToolResult } from './activities.ts';
import type { McpServer, McpTool } from './mcp-server.ts';

/** The MCP servers of the tenant of a run. `Signal` is the platform's AbortSignal. */
export interface ToolServers<Signal> {
  /** @throws NOT_FOUND, TOOL_SERVER_DENIED when it is disabled */
  open(runId: string, server: string): Promise<RunToolServer<Signal>>;
}

export interface RunToolServer<Signal> {
  server: McpServer;
  /** What the tool says of itself. @throws TOOL_NOT_ALLOWED, TOOL_CHANGED, TOOL_REFUSED, TOOL_SERVER_UNAVAILABLE */
  describe(tool: string, signal: Signal): Promise<McpTool>;
  call(
    request: {
      tool: string;
      arguments: JsonObject;
      idempotencyKey: string;
      onProgress: (progress: JsonObject) => void;
    },
    signal: Signal,
  ): Promise<ToolResult>;
}
