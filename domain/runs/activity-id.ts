import { nodeId, type NodeId } from '../identifiers.ts';

/** `<node id>#<iteration>`: the activity id, and the summary of a node's timer, so that history maps to the graph. */
export function activityId(node: string, iteration: number): string {
  return `${node}#${iteration}`;
}

export function parseActivityId(text: string): { nodeId: NodeId; iteration: number } | null {
  const match = /^([A-Za-z][A-Za-z0-9_]*)#(\d+)$/.exec(text);
  return match ? { nodeId: nodeId(match[1] as string), iteration: Number(match[2]) } : null;
}
