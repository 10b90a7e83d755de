import { listMcpServers, listMcpToolPins, readMcpServer } from '../../adapters/postgres/mcp-server-store.ts';
import type { Json } from '../../domain/json.ts';
import type { McpServer } from '../../domain/tools/mcp-server.ts';
import type { RunsDeps } from '../runs/deps.ts';
import type { RunsContext } from '../runs/resolvers.ts';
import { callServerTool } from './call-server-tool.ts';
import { pinTools, removeServer, saveServer, type SaveMcpServer, testServer } from './mcp-operations.ts';
import type { ToolsDeps } from './open-tools.ts';

/** `poolOf` gives the database as the caller's tenant sees it. */
export function toolsResolvers(tools: ToolsDeps, poolOf: (tenantId: string) => RunsDeps['pool']) {
  const depsOf = ({ principal }: RunsContext) => ({ ...tools, pool: poolOf(principal.tenantId) });
  type ById = { id: string };
  return {
    Query: {
      mcpServers: (_: unknown, __: unknown, context: RunsContext) =>
        listMcpServers(depsOf(context).pool, context.principal.tenantId),
      mcpServer: (_: unknown, { id }: ById, context: RunsContext) =>
        id.includes('\0') ? null : readMcpServer(depsOf(context).pool, context.principal.tenantId, id),
    },
    Mutation: {
      saveMcpServer: (_: unknown, { input }: { input: SaveMcpServer }, context: RunsContext) =>
        saveServer(depsOf(context), context.principal, input),
      removeMcpServer: (_: unknown, { id }: ById, context: RunsContext) =>
        removeServer(depsOf(context).pool, context.principal, id),
      testMcpServer: (_: unknown, { id }: ById, context: RunsContext) =>
        testServer(depsOf(context), context.principal, id),
      pinMcpTools: (_: unknown, request: ById & { tools?: string[] | null }, context: RunsContext) =>
        pinTools(depsOf(context), context.principal, request),
      callMcpTool: (_: unknown, request: ById & { tool: string; arguments?: Json }, context: RunsContext) =>
        callServerTool(depsOf(context), context.principal, request),
    },
    types: {
      McpServer: {
        pins: ({ id, tenantId }: McpServer) => listMcpToolPins(poolOf(tenantId), tenantId, id),
      },
      McpTransport: { STDIO: 'stdio', HTTP: 'http', SSE: 'sse', WEBSOCKET: 'websocket' },
      McpBalancing: {
        HEALTH: 'health',
        ROUND_ROBIN: 'round_robin',
        LEAST_CONNECTIONS: 'least_connections',
        WEIGHTED: 'weighted',
      },
    },
  };
}
