import { ProtocolError, ProtocolErrorCode, Server, type ServerContext } from '@modelcontextprotocol/server';
import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import type { ServedAnswer, ServedTool, ServedTools } from '../../domain/tools/served-tools.ts';
import { IDEMPOTENCY_META } from './mcp-connection.ts';

const VERSION = '0.1.0';

export type ToolServerOptions = {
  /** Names what is known of an error; what is not known stays in the log. */
  appErrorOf: (error: unknown) => AppError | undefined;
  logInternal: (error: unknown) => void;
};

/** The tools as a server of the SDK, for one request or one connection of one caller. */
export function toolServer(tools: ServedTools<AbortSignal>, options: ToolServerOptions): Server {
  const server = new Server(
    { name: tools.name, version: VERSION },
    { capabilities: { tools: {} }, instructions: tools.instructions },
  );
  server.setRequestHandler('tools/list', async ({ params }) => {
    const { tools: page, nextCursor } = await tools.list(params?.cursor ?? null);
    return { tools: page.map(described), ...(nextCursor === null ? {} : { nextCursor }) };
  });
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const key = context.mcpReq._meta?.[IDEMPOTENCY_META];
    try {
      const answer = await tools.call({
        name: params.name,
        arguments: (params.arguments ?? {}) as { [name: string]: Json },
        key: typeof key === 'string' ? key : null,
        signal: context.mcpReq.signal,
        progress: progressOf(context),
      });
      return resultOf(answer);
    } catch (error) {
      return refused(error, params.name, options);
    }
  });
  return server;
}

const described = ({ name, title, description, inputSchema, readOnly, destructive, idempotent }: ServedTool) => ({
  name,
  ...(title === undefined ? {} : { title }),
  description,
  inputSchema: { ...inputSchema, type: 'object' as const },
  annotations: {
    readOnlyHint: readOnly ?? false,
    destructiveHint: destructive ?? false,
    idempotentHint: idempotent ?? false,
    openWorldHint: false,
  },
});

function progressOf({ mcpReq }: ServerContext): ((message: string) => void) | null {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return null;
  let progress = 0;
  return (message) => {
    progress += 1;
    const params = { progressToken, progress, message };
    // Whoever has gone hears nothing more, and needs nothing more.
    void mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}

function resultOf({ value, text, isError = false }: ServedAnswer) {
  const structured = value !== null && typeof value === 'object' && !Array.isArray(value) ? value : null;
  return {
    content: [{ type: 'text' as const, text: text ?? JSON.stringify(value, null, 2) }],
    ...(structured === null ? {} : { structuredContent: structured }),
    isError,
  };
}

/** A tool that does not exist is a fault of the protocol; all else is told to the model, which may do something about it. */
function refused(error: unknown, tool: string, { appErrorOf, logInternal }: ToolServerOptions) {
  const known = appErrorOf(error) ?? new AppError('INTERNAL', {}, error);
  if (known.code === 'TOOL_UNKNOWN') throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${tool} not found`);
  if (known.code === 'INTERNAL') logInternal(error);
  const { code, message, hint } = known;
  const value = { code, message, ...(hint === undefined ? {} : { hint }) };
  return resultOf({ value, text: `${code}: ${message}${hint === undefined ? '' : ` ${hint}`}`, isError: true });
}
