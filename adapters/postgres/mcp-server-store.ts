import { type RunId, type TenantId, tenantId as asTenantId } from '../../domain/identifiers.ts';
import type {
  McpBalancing,
  McpEndpoint,
  McpServer,
  McpTransport,
  NewMcpServer,
} from '../../domain/tools/mcp-server.ts';
import type { ToolPin } from '../../domain/tools/tool-fingerprint.ts';
import type { Queryable } from './payload-store.ts';
import { tenantsOfRuns } from './tenants-of-runs.ts';

/** `sealed` holds header values or environment, for the secret box to open; null when there are none. */
export type StoredMcpServer = McpServer & { sealed: string | null };
export type McpSecrets = { names: readonly string[]; sealed: string | null };

type Row = {
  tenant_id: string;
  id: string;
  transport: McpTransport;
  command: string | null;
  args: string[];
  endpoints: McpEndpoint[];
  balancing: McpBalancing;
  secret_names: string[];
  secrets: string | null;
  allowed_tools: string[] | null;
  idempotent_tools: string[];
  timeout_ms: number;
  max_result_bytes: number;
  pool_size: number;
  enabled: boolean;
  revision: number;
  created_at: Date;
  updated_at: Date;
};

/** Makes it, or puts it in the place of what has its name; `secrets` null leaves those that are there. */
export async function saveMcpServer(
  pool: Queryable,
  tenantId: TenantId,
  server: NewMcpServer,
  secrets: McpSecrets | null,
): Promise<StoredMcpServer> {
  const { rows } = await pool.query<Row>(
    `INSERT INTO mcp_servers AS known (tenant_id, id, transport, command, args, endpoints, balancing, allowed_tools,
       idempotent_tools, timeout_ms, max_result_bytes, pool_size, enabled, secret_names, secrets)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, coalesce($14, '[]'::json), $15)
     ON CONFLICT (tenant_id, id) DO UPDATE SET
       (transport, command, args, endpoints, balancing, allowed_tools, idempotent_tools, timeout_ms, max_result_bytes, pool_size, enabled)
         = ROW ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13),
       secret_names = CASE WHEN $14::json IS NULL THEN known.secret_names ELSE $14 END,
       secrets = CASE WHEN $14::json IS NULL THEN known.secrets ELSE $15 END,
       revision = known.revision + 1, updated_at = date_trunc('milliseconds', now())
     RETURNING *`,
    [
      tenantId,
      server.id,
      server.transport,
      server.command,
      JSON.stringify(server.args),
      JSON.stringify(server.endpoints),
      server.balancing,
      server.allowedTools === null ? null : JSON.stringify(server.allowedTools),
      JSON.stringify(server.idempotentTools),
      server.timeoutMs,
      server.maxResultBytes,
      server.poolSize,
      server.enabled,
      secrets === null ? null : JSON.stringify(secrets.names),
      secrets?.sealed ?? null,
    ],
  );
  return serverOf(rows[0] as Row);
}

export async function readMcpServer(
  pool: Queryable,
  tenantId: TenantId,
  id: string,
): Promise<StoredMcpServer | undefined> {
  const { rows } = await pool.query<Row>('SELECT * FROM mcp_servers WHERE tenant_id = $1 AND id = $2', [tenantId, id]);
  return rows[0] && serverOf(rows[0]);
}

/** As the tenant of a run has registered it. */
export async function readMcpServerOfRun(
  pool: Queryable,
  runId: RunId,
  id: string,
): Promise<StoredMcpServer | undefined> {
  const tenant = (await tenantsOfRuns(pool, [runId])).get(runId);
  return tenant === undefined ? undefined : readMcpServer(pool, asTenantId(tenant), id);
}

export async function listMcpServers(pool: Queryable, tenantId: TenantId): Promise<StoredMcpServer[]> {
  const { rows } = await pool.query<Row>('SELECT * FROM mcp_servers WHERE tenant_id = $1 ORDER BY id', [tenantId]);
  return rows.map(serverOf);
}

export async function deleteMcpServer(pool: Queryable, tenantId: TenantId, id: string): Promise<boolean> {
  const { rowCount } = await pool.query('DELETE FROM mcp_servers WHERE tenant_id = $1 AND id = $2', [tenantId, id]);
  return rowCount === 1;
}

/** In the place of all that were pinned before. */
/** Inside a transaction. */
export async function pinMcpTools(
  client: Queryable,
  tenantId: TenantId,
  serverId: string,
  pins: readonly Pick<ToolPin, 'tool' | 'hash'>[],
): Promise<void> {
  await client.query('DELETE FROM mcp_tool_pins WHERE tenant_id = $1 AND server_id = $2', [tenantId, serverId]);
  await client.query(
    `INSERT INTO mcp_tool_pins (tenant_id, server_id, tool, hash)
     SELECT $1, $2, tool, hash FROM unnest($3::text[], $4::text[]) AS pin(tool, hash)`,
    [tenantId, serverId, pins.map(({ tool }) => tool), pins.map(({ hash }) => hash)],
  );
}

export async function listMcpToolPins(pool: Queryable, tenantId: TenantId, serverId: string): Promise<ToolPin[]> {
  const { rows } = await pool.query<{ tool: string; hash: string; pinned_at: Date }>(
    'SELECT tool, hash, pinned_at FROM mcp_tool_pins WHERE tenant_id = $1 AND server_id = $2 ORDER BY tool',
    [tenantId, serverId],
  );
  return rows.map(({ tool, hash, pinned_at: pinnedAt }) => ({ tool, hash, pinnedAt }));
}

const serverOf = (row: Row): StoredMcpServer => ({
  tenantId: asTenantId(row.tenant_id),
  id: row.id,
  transport: row.transport,
  command: row.command,
  args: row.args,
  endpoints: row.endpoints,
  balancing: row.balancing,
  secretNames: row.secret_names,
  sealed: row.secrets,
  allowedTools: row.allowed_tools,
  idempotentTools: row.idempotent_tools,
  timeoutMs: row.timeout_ms,
  maxResultBytes: row.max_result_bytes,
  poolSize: row.pool_size,
  enabled: row.enabled,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
