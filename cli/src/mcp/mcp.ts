import { printJson, printRows } from '../flow/print-rows.ts';
import { jsonOption } from '../json-option.ts';
import { createGatewayClient } from '../gateway-client.ts';
import type { AddMcpOptions, CallMcpOptions, McpOptions } from '../mcp-commands.ts';
import { UsageError } from '../usage-error.ts';

type Server = {
  id: string;
  transport: string;
  command: string | null;
  args: string[];
  endpoints: { url: string; weight: number }[];
  enabled: boolean;
  allowedTools: string[] | null;
  pins: { tool: string }[];
};
type Tool = { name: string; description: string; readOnly: boolean; destructive: boolean; idempotent: boolean };
type Test = {
  protocolVersion: string | null;
  serverName: string | null;
  serverVersion: string | null;
  durationMs: number;
  tools: Tool[];
  drift: { tool: string; kind: string }[];
};

const SERVER = 'id transport command args endpoints { url weight } enabled allowedTools pins { tool }';
const TOOL = 'name description inputSchema readOnly destructive idempotent hash';
const DESCRIPTION_WIDTH = 70;

export async function addServer(name: string, options: AddMcpOptions): Promise<number> {
  const { url, json, arg, allow, idempotent, balancing, timeout, maxBytes, connections } = options;
  const { saveMcpServer } = await createGatewayClient(url)<{ saveMcpServer: Server }>(
    `mutation ($input: McpServerInput!) { saveMcpServer(input: $input) { ${SERVER} } }`,
    {
      input: {
        id: name,
        ...wayOf(options),
        ...(arg.length > 0 ? { args: arg } : {}),
        ...(Object.keys(secretsOf(options)).length > 0 ? { secrets: secretsOf(options) } : {}),
        ...(allow.length > 0 ? { allowedTools: allow } : {}),
        ...(idempotent.length > 0 ? { idempotentTools: idempotent } : {}),
        balancing: balancing?.toUpperCase(),
        timeoutMs: timeout,
        maxResultBytes: maxBytes,
        poolSize: connections,
      },
    },
  );
  if (json) printJson(saveMcpServer);
  else printServers([saveMcpServer]);
  return 0;
}

function wayOf({ http, sse, websocket, stdio }: AddMcpOptions): object {
  const ways = [
    ...(http ? [{ transport: 'HTTP', endpoints: http.map((address) => ({ url: address })) }] : []),
    ...(sse ? [{ transport: 'SSE', endpoints: sse.map((address) => ({ url: address })) }] : []),
    ...(websocket ? [{ transport: 'WEBSOCKET', endpoints: websocket.map((address) => ({ url: address })) }] : []),
    ...(stdio === undefined ? [] : [{ transport: 'STDIO', command: stdio }]),
  ];
  if (ways.length > 1)
    throw new UsageError('A server is reached in one way', 'Name one of --http, --sse, --websocket, --stdio.');
  return ways[0] ?? {};
}

function secretsOf({
  header,
  env,
  oauthClient,
  oauthSecret,
  oauthScope,
  oauthIssuer,
}: AddMcpOptions): Record<string, string> {
  if ((oauthClient === undefined) !== (oauthSecret === undefined))
    throw new UsageError('OAuth needs a client and its secret', 'Give both --oauth-client and --oauth-secret.');
  return {
    ...pairsOf([...header, ...env]),
    ...(oauthClient === undefined ? {} : { 'oauth.clientId': oauthClient }),
    ...(oauthSecret === undefined ? {} : { 'oauth.clientSecret': oauthSecret }),
    ...(oauthScope === undefined ? {} : { 'oauth.scope': oauthScope }),
    ...(oauthIssuer === undefined ? {} : { 'oauth.issuer': oauthIssuer }),
  };
}

function pairsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value = ''] = /^([^=\s]+)=(.*)$/s.exec(text) ?? [];
      if (name === undefined) throw new UsageError(`${text} has no name`, 'Write name=value.');
      return [name, value];
    }),
  );
}

export async function listServers({ url, json }: McpOptions): Promise<number> {
  const { mcpServers } = await createGatewayClient(url)<{ mcpServers: Server[] }>(`{ mcpServers { ${SERVER} } }`);
  if (json) printJson(mcpServers);
  else printServers(mcpServers);
  return 0;
}

function printServers(servers: readonly Server[]): void {
  const rows = servers.map(({ id, transport, command, args, endpoints, enabled, allowedTools, pins }) => [
    id,
    enabled ? transport.toLowerCase() : `${transport.toLowerCase()}, disabled`,
    command === null ? endpoints.map(({ url }) => url).join(' ') : [command, ...args].join(' '),
    allowedTools === null ? 'all' : allowedTools.join(' '),
    String(pins.length),
  ]);
  printRows([['SERVER', 'TRANSPORT', 'WHERE', 'TOOLS ALLOWED', 'PINNED'], ...rows]);
}

export async function testServer(name: string, { url, json }: McpOptions): Promise<number> {
  const { testMcpServer: test } = await createGatewayClient(url)<{ testMcpServer: Test }>(
    `mutation ($id: ID!) { testMcpServer(id: $id) { protocolVersion serverName serverVersion durationMs
       tools { ${TOOL} } drift { tool kind } } }`,
    { id: name },
  );
  if (json) printJson(test);
  else {
    const { serverName, serverVersion, protocolVersion, durationMs, tools, drift } = test;
    process.stdout.write(`${serverName} ${serverVersion}, MCP ${protocolVersion}, ${durationMs} ms\n`);
    printTools(tools);
    for (const { tool, kind } of drift) process.stdout.write(`${tool}: ${kind} since it was pinned\n`);
  }
  return test.drift.length === 0 ? 0 : 1;
}

function printTools(tools: readonly Tool[]): void {
  const rows = tools.map((tool) => [tool.name, hintsOf(tool), firstLine(tool.description)]);
  printRows([['TOOL', 'SAYS OF ITSELF', 'DESCRIPTION'], ...rows]);
}

const hintsOf = ({ readOnly, destructive, idempotent }: Tool): string =>
  readOnly ? 'reads' : [destructive ? 'changes' : 'adds', ...(idempotent ? ['idempotent'] : [])].join(', ');

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').slice(0, DESCRIPTION_WIDTH);

export async function pinTools(name: string, tools: string[] | null, { url, json }: McpOptions): Promise<number> {
  const { pinMcpTools } = await createGatewayClient(url)<{ pinMcpTools: Tool[] }>(
    `mutation ($id: ID!, $tools: [String!]) { pinMcpTools(id: $id, tools: $tools) { ${TOOL} } }`,
    { id: name, tools },
  );
  if (json) printJson(pinMcpTools);
  else if (pinMcpTools.length === 0) process.stdout.write(`${name}: nothing is pinned\n`);
  else printTools(pinMcpTools);
  return 0;
}

type Result = { text: string; content: unknown; structured: unknown; isError: boolean };

export async function callTool(
  name: string,
  tool: string,
  { url, json, arguments: given }: CallMcpOptions,
): Promise<number> {
  const { callMcpTool: result } = await createGatewayClient(url)<{ callMcpTool: Result }>(
    `mutation ($id: ID!, $tool: String!, $arguments: JSON) {
       callMcpTool(id: $id, tool: $tool, arguments: $arguments) { text content structured isError } }`,
    { id: name, tool, arguments: await jsonOption('arguments', given) },
  );
  if (json) printJson(result);
  else process.stdout.write(`${result.text || JSON.stringify(result.structured ?? result.content)}\n`);
  return result.isError ? 1 : 0;
}

export async function removeServer(name: string, { url }: McpOptions): Promise<number> {
  await createGatewayClient(url)<{ removeMcpServer: boolean }>('mutation ($id: ID!) { removeMcpServer(id: $id) }', {
    id: name,
  });
  process.stdout.write(`${name} is forgotten\n`);
  return 0;
}
