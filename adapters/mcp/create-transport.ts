import { SSEClientTransport, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { AppError } from '../../domain/errors.ts';
import type { McpServer } from '../../domain/tools/mcp-server.ts';
import { resolveHost, systemResolve } from '../http/resolve-host.ts';
import { credentialsOf } from './oauth-credentials.ts';
import { WebSocketTransport } from './websocket-transport.ts';

export type Reachable = Pick<McpServer, 'id' | 'transport' | 'command' | 'args' | 'maxResultBytes'>;
export type TransportPolicy = {
  /** Commands that may be started; `*` is any. */
  stdioCommands: readonly string[];
  allowedHosts: readonly string[];
  fetch: typeof fetch;
};

/** Room for what frames a result. */
const FRAME_BYTES = 65_536;

/**
 * A way to one replica of a server, not started yet. `secrets` are headers, or environment variables of a process, which else
 * gets only what a shell could not do without.
 * @throws TOOL_SERVER_DENIED, HTTP_ADDRESS_DENIED
 */
export async function createTransport(
  server: Reachable,
  url: string,
  secrets: Readonly<Record<string, string>>,
  policy: TransportPolicy,
): Promise<Transport> {
  if (server.transport !== 'stdio') {
    // Again at every connection; here the refusal still has its own name.
    await resolveHost(new URL(url.replace(/^ws/, 'http')), policy.allowedHosts, systemResolve);
  }
  const { headers, authProvider } = credentialsOf(secrets);
  const requestInit = { headers };
  const authorized = authProvider ? { authProvider } : {};
  switch (server.transport) {
    case 'stdio':
      return startProcess(server, secrets, policy);
    case 'http':
      return new StreamableHTTPClientTransport(new URL(url), { fetch: policy.fetch, requestInit, ...authorized });
    case 'sse':
      return new SSEClientTransport(new URL(url), { fetch: policy.fetch, requestInit, ...authorized });
    case 'websocket':
      return new WebSocketTransport(url, headers, server.maxResultBytes + FRAME_BYTES);
  }
}

function startProcess(
  { id, command, args, maxResultBytes }: Reachable,
  secrets: Readonly<Record<string, string>>,
  { stdioCommands }: TransportPolicy,
): Transport {
  if (command === null || !(stdioCommands.includes('*') || stdioCommands.includes(command))) {
    throw new AppError('TOOL_SERVER_DENIED', { server: id, detail: `the command ${String(command)} is not allowed` });
  }
  return new StdioClientTransport({
    command,
    args: [...args],
    env: { ...getDefaultEnvironment(), ...secrets },
    stderr: 'ignore',
    maxBufferSize: maxResultBytes + FRAME_BYTES,
  });
}
