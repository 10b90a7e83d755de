import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { exitCode } from './exit-code.ts';
import { graphqlUrl } from './graphql-url.ts';
import { collect } from './node-mapping.ts';
import { readRunFile } from './run-file.ts';
import { wholeNumber } from './whole-number.ts';

export type McpOptions = { url: string; json?: boolean };
export type AddMcpOptions = McpOptions & {
  http?: string[];
  sse?: string[];
  websocket?: string[];
  stdio?: string;
  arg: string[];
  header: string[];
  env: string[];
  oauthClient?: string;
  oauthSecret?: string;
  oauthScope?: string;
  oauthIssuer?: string;
  allow: string[];
  idempotent: string[];
  balancing?: string;
  timeout?: number;
  maxBytes?: number;
  connections?: number;
};
export type ServeMcpOptions = { url: string; api: string };
export type CallMcpOptions = McpOptions & { arguments?: string };

export const OWN_SERVERS = ['weft', 'customer-support', 'knowledge-base'];
const BALANCING = ['health', 'round_robin', 'least_connections', 'weighted'];

export function addMcpCommands(program: Command): void {
  const mcp = program.command('mcp').description('servers of the Model Context Protocol and their tools');
  const load = () => import('./mcp/mcp.ts');
  const verb = (signature: string, description: string) =>
    mcp
      .command(signature)
      .description(description)
      .option('--json', 'as JSON')
      .option('--url <url>', 'the graph to ask', graphqlUrl());
  verb('add <name>', 'register a server, or change the one of that name')
    .option('--http <url>', 'Streamable HTTP; again for each replica', address, undefined)
    .option('--sse <url>', 'the predecessor of Streamable HTTP', address, undefined)
    .option('--websocket <url>', 'JSON-RPC over a WebSocket, which is no part of the standard', address, undefined)
    .option('--stdio <command>', 'started by a worker; WEFT_MCP_STDIO_COMMANDS must allow it')
    .option('--arg <text>', 'of the command; again for each', collect, [])
    .option('--header <name=value>', 'sent with each request and kept sealed; again for each', collect, [])
    .option('--env <name=value>', 'of a stdio server, kept sealed; again for each', collect, [])
    .option('--oauth-client <id>', 'get tokens by OAuth 2.1 (client credentials) as this client')
    .option('--oauth-secret <secret>', 'of that client, kept sealed')
    .option('--oauth-scope <scopes>', 'to ask for')
    .option('--oauth-issuer <url>', 'the secret is shown to this authorization server alone')
    .option('--allow <tool>', 'nothing but these tools may be called; again for each', collect, [])
    .option('--idempotent <tool>', 'may be called again when in doubt; again for each', collect, [])
    .addOption(new Option('--balancing <how>', 'between replicas').choices(BALANCING))
    .option('--timeout <ms>', 'of a call', wholeNumber())
    .option('--max-bytes <number>', 'of a result', wholeNumber())
    .option('--connections <number>', 'at a time, in each process', wholeNumber())
    .action((name: string, options: AddMcpOptions) => exitCode(async () => (await load()).addServer(name, options)));
  verb('list', 'registered servers').action((options: McpOptions) =>
    exitCode(async () => (await load()).listServers(options)),
  );
  verb('test <name>', 'connect to a server and list its tools; exit code 1 when they are not what was pinned').action(
    (name: string, options: McpOptions) => exitCode(async () => (await load()).testServer(name, options)),
  );
  verb('pin <name>', 'take what the tools say of themselves for what they are: calls of others are refused')
    .addArgument(new Argument('[tools...]', 'default: all'))
    .option('--none', 'let go of all pins')
    .action((name: string, tools: string[], options: McpOptions & { none?: boolean }) =>
      exitCode(async () => (await load()).pinTools(name, options.none ? [] : tools.length > 0 ? tools : null, options)),
    );
  verb('call <name> <tool>', 'call a tool; exit code 1 when it says that it failed')
    .option('--arguments <json>', 'what it is called with, or @file')
    .action((name: string, tool: string, options: CallMcpOptions) =>
      exitCode(async () => (await load()).callTool(name, tool, options)),
    );
  mcp
    .command('serve')
    .description('be an MCP server over stdio, for whoever starts this command')
    .addArgument(new Argument('[server]', 'which of ours').choices(OWN_SERVERS).default('weft'))
    .option('--url <url>', 'the graph where you have signed in', graphqlUrl())
    .option('--api <url>', 'the API that has the server', readRunFile('.weft')?.apiUrl ?? 'http://127.0.0.1:8080')
    .action((name: string, options: ServeMcpOptions) =>
      exitCode(async () => (await import('./mcp/serve.ts')).serve(name, options)),
    );
  verb('remove <name>', 'forget a server').action((name: string, options: McpOptions) =>
    exitCode(async () => (await load()).removeServer(name, options)),
  );
}

function address(url: string, earlier: string[] | undefined): string[] {
  if (!URL.canParse(url)) throw new InvalidArgumentError('Not an address.');
  return [...(earlier ?? []), url];
}
