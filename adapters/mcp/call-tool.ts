import { ProtocolError, SdkError, SdkErrorCode, type CallToolResult } from '@modelcontextprotocol/client';
import { AppError } from '../../domain/errors.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { ToolResult } from '../../domain/tools/activities.ts';
import type { ToolAnswer } from '../../domain/tools/tool-question.ts';
import type { McpConnection } from './mcp-connection.ts';
import type { McpPool, OpenServer } from './mcp-pool.ts';

export type ToolCallRequest = {
  tool: string;
  arguments: JsonObject;
  idempotencyKey: string | null;
  answers?: readonly ToolAnswer[];
  onProgress?: Parameters<McpConnection['call']>[0]['onProgress'];
};

/** One call. @throws TOOL_INPUT_REQUIRED, TOOL_SERVER_UNAVAILABLE (retried), TOOL_REFUSED, TOOL_RESULT_TOO_LARGE, TOOL_SERVER_DENIED */
export async function callTool(
  pool: McpPool,
  server: OpenServer,
  { tool, arguments: given, idempotencyKey, answers = [], onProgress }: ToolCallRequest,
  signal: AbortSignal,
): Promise<ToolResult> {
  return pool.with(server, signal, async (connection) => {
    try {
      const result = await connection.call({
        tool,
        arguments: given,
        timeoutMs: server.timeoutMs,
        signal,
        idempotencyKey,
        answers,
        ...(onProgress ? { onProgress } : {}),
      });
      return resultOf(server, tool, result);
    } catch (error) {
      signal.throwIfAborted();
      throw translated(error, server.id, tool);
    }
  });
}

export function translated(error: unknown, server: string, tool: string): AppError {
  if (error instanceof AppError && error.code === 'TOOL_INPUT_REQUIRED')
    return new AppError(error.code, { ...error.fields, server, tool });
  if (error instanceof AppError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof ProtocolError) return new AppError('TOOL_REFUSED', { server, tool, detail }, error);
  if (error instanceof SdkError && error.code === SdkErrorCode.InvalidResult) {
    return new AppError(
      'TOOL_REFUSED',
      { server, tool, detail: `its answer is not what it promises: ${detail}` },
      error,
    );
  }
  return new AppError('TOOL_SERVER_UNAVAILABLE', { server, tool, detail }, error);
}

function resultOf({ id, maxResultBytes }: OpenServer, tool: string, result: CallToolResult): ToolResult {
  const { content, structuredContent, isError = false } = result;
  const answer = { content: content as unknown as Json[], structured: (structuredContent ?? null) as Json, isError };
  const bytes = Buffer.byteLength(JSON.stringify(answer));
  if (bytes > maxResultBytes) {
    throw new AppError('TOOL_RESULT_TOO_LARGE', { server: id, tool, bytes, limitBytes: maxResultBytes });
  }
  return { text: textOf(result), ...answer };
}

const textOf = ({ content }: CallToolResult): string =>
  content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');
