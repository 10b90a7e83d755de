import { createHash } from 'node:crypto';
import { callTool } from '../../adapters/mcp/call-tool.ts';
import { openToolServer } from '../../adapters/mcp/open-tool-server.ts';
import { listMcpToolPins } from '../../adapters/postgres/mcp-server-store.ts';
import { recordEvents } from '../../adapters/postgres/record-events.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import type { ToolResult } from '../../domain/tools/activities.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import { toAppError } from '../graphql/to-app-error.ts';
import type { RunsDeps } from '../runs/deps.ts';
import { openServer, readServer, type ToolsDeps } from './open-tools.ts';

type Request = { id: string; tool: string; arguments?: Json | undefined };
type Deps = ToolsDeps & { pool: RunsDeps['pool'] };

/**
 * A call from here, outside of any run; recorded, whatever comes of it.
 * @throws NOT_FOUND, INPUT_INVALID, TOOL_NOT_ALLOWED, TOOL_CHANGED, TOOL_INPUT_REQUIRED, TOOL_REFUSED, TOOL_RESULT_TOO_LARGE, TOOL_SERVER_UNAVAILABLE
 */
export async function callServerTool(
  deps: Deps,
  { tenantId, subject: by }: Principal,
  { id, tool, arguments: given }: Request,
): Promise<ToolResult> {
  if (given !== undefined && given !== null && !isJsonObject(given))
    throw argumentInvalid('arguments', 'must be an object');
  const server = openServer(deps, await readServer(deps.pool, tenantId, id));
  const asked = given ?? {};
  const began = performance.now();
  const record = async (result: ToolResult | null, error: unknown) => {
    const known = error === null ? null : toAppError(error);
    const payload = {
      ...{ id, tool, by, requestHash: hashOf({ id, tool, given: asked }) },
      outcome: result ? ('OK' as const) : ('FAILED' as const),
      isError: result?.isError ?? null,
      error: result ? null : { code: known?.code ?? 'INTERNAL', message: known?.message ?? 'Something unexpected' },
      durationMs: Math.round(performance.now() - began),
    };
    await recordEvents(deps.pool, tenantId, [{ type: 'mcp_server.called', id, payload }]);
  };
  try {
    const result = await send(deps, server, tool, asked);
    await record(result, null);
    return result;
  } catch (error) {
    await record(null, error);
    throw error;
  }
}

async function send(deps: Deps, server: ReturnType<typeof openServer>, tool: string, given: JsonObject) {
  const pins = await listMcpToolPins(deps.pool, server.tenantId, server.id);
  const signal = AbortSignal.timeout(server.timeoutMs);
  await openToolServer(deps.connections, deps.listings, server, pins).describe(tool, signal);
  return callTool(deps.connections, server, { tool, arguments: given, idempotencyKey: null }, signal);
}

const hashOf = (asked: unknown): string => createHash('sha256').update(canonicalJson(asked)).digest('hex');
