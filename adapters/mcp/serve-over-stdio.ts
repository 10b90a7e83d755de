import { Client, StreamableHTTPClientTransport, type CallToolResult } from '@modelcontextprotocol/client';
import { Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

export type HttpServer = {
  url: string;
  /** Asked before each request, since tokens end. */
  token: () => Promise<string | null>;
};

/** A call lasts as long as its caller waits. */
const LONGEST_CALL_MS = 86_400_000;

/** Serves over this process' stdio what a server of ours serves over HTTP; resolves when the other side is done. */
export async function serveOverStdio({ url, token }: HttpServer, onError: (error: Error) => void): Promise<void> {
  const client = new Client({ name: 'weft-stdio', version: '0.1.0' }, { versionNegotiation: { mode: 'auto' } });
  const withToken: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    const bearer = await token();
    if (bearer !== null) headers.set('authorization', `Bearer ${bearer}`);
    return fetch(input, { ...init, headers });
  };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch: withToken }));
  const ended = new Promise<void>((resolve) => process.stdin.once('close', resolve).once('end', resolve));
  const serving = serveStdio(() => forwarding(client), { onerror: onError });
  await ended;
  await serving.close();
  await client.close();
}

function forwarding(client: Client): Server {
  const { name = 'weft', version = '0.1.0' } = client.getServerVersion() ?? {};
  const instructions = client.getInstructions();
  const server = new Server(
    { name, version },
    { capabilities: { tools: {} }, ...(instructions === undefined ? {} : { instructions }) },
  );
  server.setRequestHandler('tools/list', (_request, { mcpReq: { signal } }) =>
    client.listTools(undefined, { signal, cacheMode: 'refresh' }),
  );
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }): Promise<CallToolResult> => {
    const { progressToken, ...meta } = mcpReq._meta ?? {};
    const told =
      progressToken === undefined
        ? {}
        : {
            onprogress: (progress: object) =>
              void mcpReq
                .notify({ method: 'notifications/progress', params: { progressToken, ...progress } })
                .catch(() => undefined),
          };
    return client.callTool(
      { name: params.name, arguments: params.arguments ?? {}, _meta: meta },
      { signal: mcpReq.signal, timeout: LONGEST_CALL_MS, ...told },
    );
  });
  return server;
}
