import type { JsonObject } from '../json.ts';
import type { ToolResult } from './activities.ts';
import type { McpServer, McpTool } from './mcp-server.ts';
import type { ToolAnswer } from './tool-question.ts';

/** The MCP servers of the tenant of a run. `Signal` is the platform's AbortSignal. */
export interface ToolServers<Signal> {
  /** @throws NOT_FOUND, TOOL_SERVER_DENIED when it is disabled */
  open(runId: string, server: string): Promise<RunToolServer<Signal>>;
}

export interface RunToolServer<Signal> {
  server: McpServer;
  /** What the tool says of itself. @throws TOOL_NOT_ALLOWED, TOOL_CHANGED, TOOL_REFUSED, TOOL_SERVER_UNAVAILABLE */
  describe(tool: string, signal: Signal): Promise<McpTool>;
  /** The tools that may be called now. @throws TOOL_SERVER_UNAVAILABLE */
  list(signal: Signal): Promise<McpTool[]>;
  /** @throws TOOL_INPUT_REQUIRED where the tool asks what `answers` does not say, and as callTool does */
  call(
    request: {
      tool: string;
      arguments: JsonObject;
      idempotencyKey: string;
      answers?: readonly ToolAnswer[];
      onProgress: (progress: JsonObject) => void;
    },
    signal: Signal,
  ): Promise<ToolResult>;
}
