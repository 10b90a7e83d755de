import type { CompiledNode } from '../compile.ts';
import type { NodeState, Work } from '../run-state.ts';
import { isSettled } from '../run-status.ts';

type Moved = { state: NodeState; before: NodeState | null };

/**
 * The nodes of a body with their counters as the graph has them, and what follows from that for those that can never run: skipped
 * or cancelled. A node that was skipped before and is so again keeps its old state.
 */
export function recountBody(
  body: readonly CompiledNode[],
  moved: readonly Moved[],
  parked: readonly Work[],
  now: number,
): { nodes: NodeState[]; open: number } {
  const positions = new Map(body.map((node, position) => [node.index, position]));
  const states = moved.map(({ state }) => state);
  /** A parked failure has not taken its course yet. */
  const isSpread = (node: CompiledNode, state: NodeState) =>
    isSettled(state.status) && !parked.some((work) => work.node === node.index && work.iteration === state.iteration);
  const count = (node: CompiledNode) => {
    let [unsettled, live, broken] = [0, 0, 0];
    for (const edge of node.predecessors) {
      const position = positions.get(edge.from) as number;
      const source = states[position] as NodeState;
      if (!isSpread(body[position] as CompiledNode, source)) unsettled += 1;
      else {
        live += Number(source.port === edge.port);
        broken += Number((source.status === 'FAILED' && !source.handled) || source.status === 'CANCELLED');
      }
    }
    return { unsettled, live, broken };
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const [position, node] of body.entries()) {
      const state = states[position] as NodeState;
      if (state.status !== 'PENDING' || node.predecessors.length === 0) continue;
      const { unsettled, live, broken } = count(node);
      if (unsettled > 0 || (broken === 0 && live > 0)) continue;
      const status = broken > 0 ? 'CANCELLED' : 'SKIPPED';
      const before = moved[position]?.before ?? null;
      states[position] = before?.status === status ? before : { ...state, status, closedAt: now };
      changed = true;
    }
  }
  const nodes = body.map((node, position) => {
    const state = states[position] as NodeState;
    const counted = count(node);
    // What has begun is not decided again by a node that was put before it.
    const begun = state.status !== 'PENDING' && counted.unsettled > 0;
    return { ...state, ...counted, ...(begun ? { unsettled: counted.unsettled + 1 } : {}) };
  });
  const open = body.filter((node, position) => !isSpread(node, nodes[position] as NodeState)).length;
  return { nodes, open };
}
