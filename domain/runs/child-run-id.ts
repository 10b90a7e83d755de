import { nodeId } from '../identifiers.ts';
import type { ChildRef } from './run-event.ts';

/** `<run>:<node>:<iteration>` of a subworkflow, `<run>:<node>:<iteration>:<chunk>` of some items of a map. */
export function childRunId(runId: string, { nodeId: node, iteration, chunk }: ChildRef): string {
  return `${runId}:${node}:${iteration}${chunk === null ? '' : `:${chunk}`}`;
}

/** Which node of its parent a child run belongs to. */
export function parseChildRunId(runId: string): ChildRef | null {
  const match = /:([A-Za-z][A-Za-z0-9_]*):(\d+(?:\.\d+)*)(?::(\d+))?$/.exec(runId);
  if (!match) return null;
  const chunk = match[3] === undefined ? null : Number(match[3]);
  return { nodeId: nodeId(match[1] as string), iteration: match[2] as string, chunk };
}

/** A run, then the one it is a child of, and so on up to the one that nobody else has started. */
export function runLineage(runId: string): string[] {
  const ref = parseChildRunId(runId);
  if (ref === null) return [runId];
  const parent = runId.slice(0, runId.length - childRunId('', ref).length);
  return [runId, ...(parent === '' ? [] : runLineage(parent))];
}
