import { isClosed, type RunStatus } from '../../domain/runs/run-status.ts';
import type { ServedAnswer } from '../../domain/tools/served-tools.ts';
import type { Json } from '../../domain/json.ts';

export const RUN = `id workflow { id version } status input output error { code message nodeId hint } startedAt closedAt
  nodes(first: 200) { id path type status input error { code message } }`;

type Node = { id: string; path: string; type: string; status: string; input: Json };
export type ShownRun = { id: string; status: RunStatus; output: Json; nodes: Node[] } & Record<string, Json>;

/** Nodes are a matter of how it stands; only those that somebody can do something about are shown whole. */
export function runView({ id, nodes, ...run }: ShownRun): Record<string, Json> {
  const waiting = nodes.filter(({ status }) => status === 'WAITING');
  const done = nodes.filter(({ status }) => !['PENDING', 'RUNNING', 'WAITING'].includes(status)).length;
  return {
    runId: id,
    ...run,
    nodesDone: done,
    nodesKnown: nodes.length,
    waitingFor: waiting.map(({ id: nodeId, path, type, input }) => ({ nodeId, path, type, input })),
  };
}

/** A run that came to no good end is an answer that says so. */
export function runAnswer(run: ShownRun): ServedAnswer {
  const { status } = run;
  return { value: runView(run), isError: isClosed(status) && status !== 'COMPLETED' };
}

export function standing({ id, status, nodes }: ShownRun): string {
  const waiting = nodes.filter((node) => node.status === 'WAITING').map((node) => node.id);
  const waits = waiting.length === 0 ? '' : `, waits at ${waiting.join(', ')}`;
  return `${id} ${status}: ${nodes.filter((node) => node.status === 'COMPLETED').length} nodes completed${waits}`;
}
