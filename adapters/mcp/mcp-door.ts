import type { IncomingMessage, ServerResponse } from 'node:http';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { ServedTools } from '../../domain/tools/served-tools.ts';
import { toolServer, type ToolServerOptions } from './tool-server.ts';
import { sendWeb, webRequest } from './web-exchange.ts';

export type McpDoor<Caller> = {
  /** Answers one request of a caller who is known, its body read already. */
  answer(request: IncomingMessage, response: ServerResponse, caller: Caller, body: unknown): Promise<void>;
  close(): Promise<void>;
};

/** Streamable HTTP, both eras, no sessions: any process can answer any request. */
export function createMcpDoor<Caller>(
  toolsOf: (caller: Caller) => ServedTools<AbortSignal>,
  options: ToolServerOptions,
): McpDoor<Caller> {
  const handler = createMcpHandler(
    ({ authInfo }) => toolServer(toolsOf(authInfo?.extra?.['caller'] as Caller), options),
    { onerror: () => undefined },
  );
  return {
    async answer(request, response, caller, parsedBody) {
      const authInfo = { token: '', clientId: '', scopes: [], extra: { caller } };
      const given = { authInfo, ...(parsedBody === undefined ? {} : { parsedBody }) };
      await sendWeb(await handler.fetch(webRequest(request, response), given), response);
    },
    close: () => handler.close(),
  };
}
