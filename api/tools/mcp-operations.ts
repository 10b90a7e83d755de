import { listTools, toolHash } from '../../adapters/mcp/open-tool-server.ts';
import {
  deleteMcpServer,
  listMcpToolPins,
  pinMcpTools,
  readMcpServer,
  saveMcpServer,
  type StoredMcpServer,
} from '../../adapters/postgres/mcp-server-store.ts';
import { recordedChange, recordEvents } from '../../adapters/postgres/record-events.ts';
import { AppError } from '../../domain/errors.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import {
  checkMcpServer,
  MCP_DEFAULTS,
  type McpBalancing,
  type McpEndpoint,
  type McpTool,
  type McpTransport,
  type NewMcpServer,
} from '../../domain/tools/mcp-server.ts';
import { driftEvents, toolDrift, type ToolDrift } from '../../domain/tools/tool-fingerprint.ts';
import { sealMcpSecrets } from '../../temporal/mcp-secrets.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RunsDeps } from '../runs/deps.ts';
import { changed } from '../runs/recorded-changes.ts';
import { openServer, readServer, type ToolsDeps } from './open-tools.ts';

export type SaveMcpServer = {
  id: string;
  transport?: McpTransport | null | undefined;
  command?: string | null | undefined;
  args?: readonly string[] | null | undefined;
  endpoints?: readonly McpEndpoint[] | null | undefined;
  balancing?: McpBalancing | null | undefined;
  secrets?: Json | undefined;
  allowedTools?: readonly string[] | null | undefined;
  idempotentTools?: readonly string[] | null | undefined;
  timeoutMs?: number | null | undefined;
  maxResultBytes?: number | null | undefined;
  poolSize?: number | null | undefined;
  enabled?: boolean | null | undefined;
};
type Pool = RunsDeps['pool'];

const CONNECT_SIGNAL_MS = 30_000;

/** @throws INPUT_INVALID, SETUP_INCOMPLETE where there are secrets and no key */
export async function saveServer(
  deps: ToolsDeps & { pool: Pool },
  principal: Principal,
  request: SaveMcpServer,
): Promise<StoredMcpServer> {
  const { id } = request;
  const { tenantId } = principal;
  const before = id.includes('\0') ? undefined : await readMcpServer(deps.pool, tenantId, id);
  const server = merged(request, before);
  checkMcpServer(server);
  const secrets = parseSecrets(request.secrets);
  const sealed = secrets && {
    names: Object.keys(secrets),
    sealed: sealMcpSecrets(deps.box, { tenantId, id }, secrets),
  };
  return changed(
    deps,
    principal,
    (client) => saveMcpServer(client, tenantId, server, sealed),
    ({ transport, revision, enabled }) => ({
      type: 'mcp_server.saved',
      id,
      payload: { id, transport, revision, enabled, by: principal.subject },
    }),
  );
}

function merged(request: SaveMcpServer, before: StoredMcpServer | undefined): NewMcpServer {
  const transport = request.transport ?? before?.transport;
  if (!transport) throw argumentInvalid('input/transport', 'is needed for a new server');
  return {
    id: request.id,
    transport,
    command: request.command === undefined ? (before?.command ?? null) : request.command,
    args: request.args ?? before?.args ?? [],
    endpoints: request.endpoints ?? before?.endpoints ?? [],
    balancing: request.balancing ?? before?.balancing ?? MCP_DEFAULTS.balancing,
    allowedTools: request.allowedTools === undefined ? (before?.allowedTools ?? null) : request.allowedTools,
    idempotentTools: request.idempotentTools ?? before?.idempotentTools ?? [],
    timeoutMs: request.timeoutMs ?? before?.timeoutMs ?? MCP_DEFAULTS.timeoutMs,
    maxResultBytes: request.maxResultBytes ?? before?.maxResultBytes ?? MCP_DEFAULTS.maxResultBytes,
    poolSize: request.poolSize ?? before?.poolSize ?? MCP_DEFAULTS.poolSize,
    enabled: request.enabled ?? before?.enabled ?? true,
  };
}

function parseSecrets(value: Json | undefined): Record<string, string> | null {
  if (value === undefined || value === null) return null;
  const valid = isJsonObject(value) && Object.values(value).every((text) => typeof text === 'string');
  if (!valid) throw argumentInvalid('input/secrets', 'must be an object of texts');
  return value as Record<string, string>;
}

/** @throws NOT_FOUND */
export async function removeServer(pool: Pool, principal: Principal, id: string): Promise<boolean> {
  const removed = await changed(
    { pool },
    principal,
    (client) => deleteMcpServer(client, principal.tenantId, id.replaceAll('\0', '')),
    () => ({ type: 'mcp_server.removed', id, payload: { id, by: principal.subject } }),
  );
  if (removed) return true;
  throw new AppError('NOT_FOUND', { what: 'MCP server', id });
}

export type ShownTool = McpTool & { hash: string };
export type ServerTest = {
  protocolVersion: string | null;
  serverName: string | null;
  serverVersion: string | null;
  durationMs: number;
  tools: ShownTool[];
  drift: ToolDrift[];
};

const shown = (tool: McpTool): ShownTool => ({ ...tool, hash: toolHash(tool) });

/** @throws NOT_FOUND, TOOL_SERVER_DENIED, HTTP_ADDRESS_DENIED, TOOL_SERVER_UNAVAILABLE */
export async function testServer(
  deps: ToolsDeps & { pool: Pool },
  { tenantId }: Principal,
  id: string,
): Promise<ServerTest> {
  const server = openServer(deps, await readServer(deps.pool, tenantId, id));
  const began = performance.now();
  const signal = AbortSignal.timeout(CONNECT_SIGNAL_MS);
  const tools = (await listTools(deps.connections, server, signal)).map(shown);
  const { protocolVersion, serverInfo } = await deps.connections.with(server, signal, (connection) =>
    Promise.resolve(connection),
  );
  const pins = await listMcpToolPins(deps.pool, tenantId, id);
  const hashes = new Map(tools.map(({ name, hash }) => [name, hash]));
  const drift = toolDrift(pins, hashes);
  await recordEvents(deps.pool, tenantId, driftEvents(id, drift, hashes));
  return {
    protocolVersion,
    serverName: serverInfo?.name ?? null,
    serverVersion: serverInfo?.version ?? null,
    durationMs: Math.round(performance.now() - began),
    tools,
    drift,
  };
}

/** @throws NOT_FOUND, INPUT_INVALID for a tool that the server does not have, and what connecting throws */
export async function pinTools(
  deps: ToolsDeps & { pool: Pool },
  principal: Principal,
  { id, tools: wanted }: { id: string; tools?: readonly string[] | null | undefined },
): Promise<ShownTool[]> {
  const { tenantId, subject: by } = principal;
  const server = openServer(deps, await readServer(deps.pool, tenantId, id));
  const there = (await listTools(deps.connections, server, AbortSignal.timeout(CONNECT_SIGNAL_MS))).map(shown);
  const missing = wanted?.find((tool) => !there.some(({ name }) => name === tool));
  if (missing !== undefined) throw argumentInvalid('tools', `names ${missing}, which ${id} does not have`);
  const pinned = wanted ? there.filter(({ name }) => wanted.includes(name)) : there;
  const pins = pinned.map(({ name, hash }) => ({ tool: name, hash }));
  await recordedChange(deps.pool, tenantId, async (client) => ({
    result: await pinMcpTools(client, tenantId, id, pins),
    events: [{ type: 'mcp_server.pinned', id, payload: { id, tools: pins.length, by } }],
  }));
  deps.listings.forget(server);
  return pinned;
}
