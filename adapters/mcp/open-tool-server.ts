import { createHash } from 'node:crypto';
import { AppError } from '../../domain/errors.ts';
import { isAllowedTool, type McpTool } from '../../domain/tools/mcp-server.ts';
import { toolText, type ToolDrift, type ToolPin } from '../../domain/tools/tool-fingerprint.ts';
import type { RunToolServer } from '../../domain/tools/tool-servers.ts';
import { callTool, translated } from './call-tool.ts';
import type { McpPool, OpenServer } from './mcp-pool.ts';

export const toolHash = (tool: McpTool): string => createHash('sha256').update(toolText(tool)).digest('hex');

/** All tools of a server, asked now. @throws TOOL_SERVER_UNAVAILABLE, TOOL_SERVER_DENIED */
export function listTools(pool: McpPool, server: OpenServer, signal: AbortSignal): Promise<McpTool[]> {
  return pool.with(server, signal, async (connection) => {
    try {
      return await connection.listTools(signal, server.timeoutMs);
    } catch (error) {
      signal.throwIfAborted();
      throw translated(error, server.id, '');
    }
  });
}

/** How long what a server says of its tools is believed. */
const LISTING_MS = 30_000;
type Listing = { revision: number; at: number; tools: McpTool[] };

/** Descriptions are kept for a while, and forgotten when the server says that they have changed. */
export function createToolListings(pool: McpPool, now: () => number = Date.now) {
  const listings = new Map<string, Listing>();
  const keyOf = ({ tenantId, id }: Pick<OpenServer, 'tenantId' | 'id'>) => `${tenantId}/${id}`;
  return {
    forget: (server: Pick<OpenServer, 'tenantId' | 'id'>): void => void listings.delete(keyOf(server)),
    async read(server: OpenServer, signal: AbortSignal): Promise<McpTool[]> {
      const known = listings.get(keyOf(server));
      if (known?.revision === server.revision && now() - known.at < LISTING_MS) return known.tools;
      const tools = await listTools(pool, server, signal);
      listings.set(keyOf(server), { revision: server.revision, at: now(), tools });
      return tools;
    },
  };
}
export type ToolListings = ReturnType<typeof createToolListings>;

/** A server for calls that keep to its allow-list and pins. */
export function openToolServer(
  pool: McpPool,
  listings: ToolListings,
  server: OpenServer,
  pins: readonly ToolPin[],
  onDrift: (drift: ToolDrift, hash: string) => void = () => undefined,
): RunToolServer<AbortSignal> {
  const refuse = (code: 'TOOL_NOT_ALLOWED' | 'TOOL_CHANGED', tool: string) =>
    new AppError(code, { server: server.id, tool });
  return {
    server,
    async describe(tool, signal) {
      if (!isAllowedTool(server, tool)) throw refuse('TOOL_NOT_ALLOWED', tool);
      const found = (await listings.read(server, signal)).find(({ name }) => name === tool);
      if (found === undefined) {
        throw new AppError('TOOL_REFUSED', { server: server.id, tool, detail: 'it has no such tool' });
      }
      const pin = pins.find((one) => one.tool === tool);
      if (pins.length > 0 && pin?.hash !== toolHash(found)) {
        onDrift({ tool, kind: pin ? 'CHANGED' : 'ADDED' }, toolHash(found));
        throw refuse('TOOL_CHANGED', tool);
      }
      return found;
    },
    async list(signal) {
      const tools = (await listings.read(server, signal)).filter(({ name }) => isAllowedTool(server, name));
      if (pins.length === 0) return tools;
      return tools.filter((tool) => pins.some((pin) => pin.tool === tool.name && pin.hash === toolHash(tool)));
    },
    call: ({ onProgress, ...request }, signal) =>
      callTool(
        pool,
        server,
        { ...request, onProgress: ({ progress, total, message }) => onProgress({ progress, total, message }) },
        signal,
      ),
  };
}
