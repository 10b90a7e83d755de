import { nodeId, type NodeId } from '../identifiers.ts';

/**
 * Which execution of a node: `1` at the root, `3` in the third pass or item of a container at the root, `2.5` in the fifth pass of
 * a container in the second pass of another.
 */
export type Iteration = string;

export const FIRST_ITERATION: Iteration = '1';
const UNDO = '.undo';

/** `<node id>#<iteration>`: the activity id, and the summary of a node's timer, so that history maps to the graph. */
export function activityId(node: string, iteration: Iteration): string {
  return `${node}#${iteration}`;
}

export function parseActivityId(text: string): { nodeId: NodeId; iteration: Iteration } | null {
  const match = /^([A-Za-z][A-Za-z0-9_]*(?:\.undo)?)#(\d+(?:\.\d+)*)$/.exec(text);
  return match ? { nodeId: nodeId(match[1] as string), iteration: match[2] as string } : null;
}

/** The id under which the undo of a node runs. */
export function undoId(node: string): NodeId {
  return nodeId(`${node}${UNDO}`);
}

export const isUndoId = (node: string): boolean => node.endsWith(UNDO);

/** The iteration of a node in pass `index` (0-based) of a container that runs as `container`. */
export function iterationInside(container: { iteration: Iteration; atRoot: boolean }, index: number): Iteration {
  return container.atRoot ? String(index + 1) : `${container.iteration}.${index + 1}`;
}
