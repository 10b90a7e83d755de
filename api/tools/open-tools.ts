import type { TenantId } from '../../domain/identifiers.ts';
import { createGuardedFetch } from '../../adapters/mcp/guarded-fetch.ts';
import { createMcpPool, type McpPool, type OpenServer } from '../../adapters/mcp/mcp-pool.ts';
import { createToolListings, type ToolListings } from '../../adapters/mcp/open-tool-server.ts';
import { readMcpServer, type StoredMcpServer } from '../../adapters/postgres/mcp-server-store.ts';
import type { Settings } from '../../config/settings.ts';
import { AppError } from '../../domain/errors.ts';
import { openMcpSecrets } from '../../temporal/mcp-secrets.ts';
import { createSecretBox, type SecretBox } from '../../temporal/secret-box.ts';
import type { RunsDeps } from '../runs/deps.ts';

/** What the operations of this room work on. */
export type ToolsDeps = {
  connections: McpPool;
  listings: ToolListings;
  box: SecretBox;
  close: () => Promise<void>;
};

export function openTools(
  settings: Pick<Settings, 'WEFT_SECRET_KEY' | 'WEFT_HTTP_ALLOWED_HOSTS' | 'WEFT_MCP_STDIO_COMMANDS'>,
): ToolsDeps {
  const allowedHosts = settings.WEFT_HTTP_ALLOWED_HOSTS;
  const guarded = createGuardedFetch(allowedHosts);
  const connections = createMcpPool({
    policy: { stdioCommands: settings.WEFT_MCP_STDIO_COMMANDS, allowedHosts, fetch: guarded.fetch },
    onToolsChanged: (server) => listings.forget(server),
  });
  const listings = createToolListings(connections);
  return {
    connections,
    listings,
    box: createSecretBox(settings.WEFT_SECRET_KEY),
    close: async () => {
      await connections.close();
      await guarded.close();
    },
  };
}

/** @throws NOT_FOUND */
export async function readServer(pool: RunsDeps['pool'], tenantId: TenantId, id: string): Promise<StoredMcpServer> {
  const server = id.includes('\0') ? undefined : await readMcpServer(pool, tenantId, id);
  if (!server) throw new AppError('NOT_FOUND', { what: 'MCP server', id });
  return server;
}

/** @throws TOOL_SERVER_DENIED when it is disabled */
export function openServer({ box }: Pick<ToolsDeps, 'box'>, stored: StoredMcpServer): OpenServer {
  if (!stored.enabled) throw new AppError('TOOL_SERVER_DENIED', { server: stored.id, detail: 'it is disabled' });
  return { ...stored, secrets: openMcpSecrets(box, stored, stored.sealed) };
}
