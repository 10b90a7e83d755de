import { AppError } from '../errors.ts';
import type { TenantId } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';

/** `http` is MCP's Streamable HTTP; `sse` its predecessor; `websocket` is no part of the standard: a transport of our own. */
export const MCP_TRANSPORTS = ['stdio', 'http', 'sse', 'websocket'] as const;
export type McpTransport = (typeof MCP_TRANSPORTS)[number];

/** How the replica of a call is chosen. */
export const MCP_BALANCING = ['health', 'round_robin', 'least_connections', 'weighted'] as const;
export type McpBalancing = (typeof MCP_BALANCING)[number];

/** One replica of a server. */
export type McpEndpoint = { url: string; weight: number };

/** A server of a tenant, as it is registered. Header values and secret environment stand apart, sealed. */
export type McpServer = {
  tenantId: TenantId;
  /** A name, unique in the tenant; what `tool.call` nodes say. */
  id: string;
  transport: McpTransport;
  /** Of stdio. */
  command: string | null;
  args: readonly string[];
  /** Of the others: at least one. */
  endpoints: readonly McpEndpoint[];
  balancing: McpBalancing;
  /** Names of the headers (or of environment variables of stdio) that are kept sealed. */
  secretNames: readonly string[];
  /** Tools that may be called; null: all. */
  allowedTools: readonly string[] | null;
  /** Tools that may be called again when nobody knows whether they were, besides those that say so themselves. */
  idempotentTools: readonly string[];
  timeoutMs: number;
  maxResultBytes: number;
  /** Connections at a time, in each process. */
  poolSize: number;
  enabled: boolean;
  /** Counts changes. */
  revision: number;
  createdAt: Date;
  updatedAt: Date;
};

/** Under which names credentials of OAuth 2.1 are kept among the sealed values. */
export const OAUTH_SECRETS = {
  clientId: 'oauth.clientId',
  clientSecret: 'oauth.clientSecret',
  scope: 'oauth.scope',
  issuer: 'oauth.issuer',
} as const;

/** How a registered server begins. */
export const MCP_DEFAULTS = {
  balancing: 'health',
  timeoutMs: 30_000,
  maxResultBytes: 1_048_576,
  poolSize: 5,
} as const satisfies Partial<McpServer>;

export type NewMcpServer = Omit<McpServer, 'tenantId' | 'revision' | 'createdAt' | 'updatedAt' | 'secretNames'>;

/** A tool as its server describes it. */
export type McpTool = {
  name: string;
  title: string | null;
  description: string;
  inputSchema: JsonObject;
  outputSchema: JsonObject | null;
  /** What the server says of it; nobody has checked. */
  readOnly: boolean;
  destructive: boolean;
  idempotent: boolean;
};

/** @throws INPUT_INVALID */
export function checkMcpServer(server: NewMcpServer): void {
  const { id, transport, command, endpoints, timeoutMs, maxResultBytes, poolSize } = server;
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(id)) throw invalid('id', 'must be lower-case letters, digits and hyphens');
  if (transport === 'stdio') {
    if (!command) throw invalid('command', 'is needed for stdio');
    if (endpoints.length > 0) throw invalid('endpoints', 'are not for stdio');
  } else {
    if (command !== null) throw invalid('command', 'is for stdio alone');
    if (endpoints.length === 0) throw invalid('endpoints', `are needed for ${transport}`);
    for (const [index, endpoint] of endpoints.entries()) checkEndpoint(transport, endpoint, `endpoints/${index}`);
  }
  within('timeoutMs', timeoutMs, 100, 3_600_000);
  within('maxResultBytes', maxResultBytes, 1_024, 104_857_600);
  within('poolSize', poolSize, 1, 100);
}

function checkEndpoint(transport: McpTransport, { url, weight }: McpEndpoint, path: string): void {
  const protocol = transport === 'websocket' ? 'ws' : 'http';
  const [, scheme, user] = /^([a-z]+)s?:\/\/([^/?#\s@]*@)?[^/?#\s@]+(?:[/?#]\S*)?$/i.exec(url) ?? [];
  if (scheme?.toLowerCase().replace(/s$/, '') !== protocol) {
    throw invalid(`${path}/url`, `must be an address that begins with ${protocol}:// or ${protocol}s://`);
  }
  if (user !== undefined) throw invalid(`${path}/url`, 'may not hold a password: use a header');
  within(`${path}/weight`, weight, 1, 1_000);
}

function within(path: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) throw invalid(path, `must be ${least} to ${most}`);
}

const invalid = (path: string, detail: string): AppError =>
  new AppError('INPUT_INVALID', { detail: `${path} ${detail}` });

export const isAllowedTool = ({ allowedTools }: Pick<McpServer, 'allowedTools'>, tool: string): boolean =>
  allowedTools === null || allowedTools.includes(tool);
