import type { SystemEvent } from '../events/system-event.ts';
import { canonicalJson } from '../runs/canonical-json.ts';
import type { McpTool } from './mcp-server.ts';

/** All of a tool that a model reads or that says what it does: when it changes, the tool is another than the one that was approved. */
export const toolText = ({
  name,
  title,
  description,
  inputSchema,
  outputSchema,
  readOnly,
  destructive,
}: McpTool): string => canonicalJson({ name, title, description, inputSchema, outputSchema, readOnly, destructive });

export type ToolPin = { tool: string; hash: string; pinnedAt: Date };
export type ToolDrift = { tool: string; kind: 'CHANGED' | 'ADDED' | 'REMOVED' };

/** How the tools of a server differ from those that were pinned; none is pinned: no difference. */
export function toolDrift(
  pins: readonly Pick<ToolPin, 'tool' | 'hash'>[],
  now: ReadonlyMap<string, string>,
): ToolDrift[] {
  if (pins.length === 0) return [];
  const pinned = new Map(pins.map(({ tool, hash }) => [tool, hash]));
  const changed = [...pinned].flatMap(([tool, hash]): ToolDrift[] => {
    const found = now.get(tool);
    if (found === undefined) return [{ tool, kind: 'REMOVED' }];
    return found === hash ? [] : [{ tool, kind: 'CHANGED' }];
  });
  const added = [...now.keys()].filter((tool) => !pinned.has(tool)).map((tool): ToolDrift => ({ tool, kind: 'ADDED' }));
  return [...changed, ...added];
}

/** What tells others of it; the same difference once. */
export const driftEvents = (
  server: string,
  drift: readonly ToolDrift[],
  now: ReadonlyMap<string, string>,
): SystemEvent[] =>
  drift.map(({ tool, kind }) => {
    const hash = now.get(tool) ?? null;
    return {
      type: 'mcp_server.drifted',
      id: server,
      eventId: `mcp_server.drifted/${server}/${tool}/${hash ?? 'gone'}`,
      payload: { id: server, tool, difference: kind, hash },
    };
  });
