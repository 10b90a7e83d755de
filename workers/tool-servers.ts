import type pg from 'pg';
import { createGuardedFetch } from '../adapters/mcp/guarded-fetch.ts';
import { createMcpPool } from '../adapters/mcp/mcp-pool.ts';
import { createToolListings, openToolServer } from '../adapters/mcp/open-tool-server.ts';
import { listMcpToolPins, readMcpServerOfRun } from '../adapters/postgres/mcp-server-store.ts';
import { recordEvents } from '../adapters/postgres/record-events.ts';
import type { Settings } from '../config/settings.ts';
import { AppError } from '../domain/errors.ts';
import { runId as asRunId } from '../domain/identifiers.ts';
import { driftEvents } from '../domain/tools/tool-fingerprint.ts';
import type { ToolServers } from '../domain/tools/tool-servers.ts';
import { openMcpSecrets } from '../temporal/mcp-secrets.ts';
import { createSecretBox } from '../temporal/secret-box.ts';

/** The registered MCP servers, for activities: connections live in this process and are shared by its runs. */
export function createToolServers(
  settings: Pick<Settings, 'WEFT_SECRET_KEY' | 'WEFT_HTTP_ALLOWED_HOSTS' | 'WEFT_MCP_STDIO_COMMANDS'>,
  database: pg.Pool,
): { servers: ToolServers<AbortSignal>; close: () => Promise<void> } {
  const box = createSecretBox(settings.WEFT_SECRET_KEY);
  const allowedHosts = settings.WEFT_HTTP_ALLOWED_HOSTS;
  const guarded = createGuardedFetch(allowedHosts);
  const pool = createMcpPool({
    policy: { stdioCommands: settings.WEFT_MCP_STDIO_COMMANDS, allowedHosts, fetch: guarded.fetch },
    onToolsChanged: (server) => listings.forget(server),
  });
  const listings = createToolListings(pool);
  return {
    servers: {
      async open(runId, id) {
        const stored = await readMcpServerOfRun(database, asRunId(runId), id);
        if (!stored) throw new AppError('NOT_FOUND', { what: 'MCP server', id });
        if (!stored.enabled) throw new AppError('TOOL_SERVER_DENIED', { server: id, detail: 'it is disabled' });
        const pins = await listMcpToolPins(database, stored.tenantId, id);
        const server = { ...stored, secrets: openMcpSecrets(box, stored, stored.sealed) };
        return openToolServer(pool, listings, server, pins, (drift, hash) => {
          const events = driftEvents(id, [drift], new Map([[drift.tool, hash]]));
          // The call is refused either way.
          void recordEvents(database, stored.tenantId, events).catch(() => undefined);
        });
      },
    },
    close: async () => {
      await pool.close();
      await guarded.close();
    },
  };
}
