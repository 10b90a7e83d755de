import type { Json } from '../../../sdk/src/index.ts';
import type { CrashSite } from './crash-site.ts';
import type { StubAnswer } from './stub-server.ts';

/** What people and other systems answer during a run. */
export type ScriptedAnswers = {
  /** Of the run, unless --input names a file. */
  input?: Json;
  /** By `METHOD /path`; others get 200 and {ok, method, path}. */
  http?: Readonly<Record<string, StubAnswer>>;
  /** By node; others are approved by nobody in particular. */
  approvals?: Readonly<
    Record<string, { by?: string; decision?: 'APPROVED' | 'REJECTED'; comment?: string; data?: Json }>
  >;
  /** By `wait` node: the event that is emitted once the node waits. */
  events?: Readonly<Record<string, { name: string; correlation?: string; data?: Json }>>;
};

type Waiting = { id: string; type: string; path: string; status: string };

const NODES = 'query ($id: ID!) { run(id: $id) { nodes { id type path status } } }';
const APPROVE = `mutation ($runId: ID!, $nodeId: ID!, $path: String, $decision: ApprovalDecision!, $comment: String,
  $data: JSON, $decidedBy: String) { approve(runId: $runId, nodeId: $nodeId, path: $path, decision: $decision,
  comment: $comment, data: $data, decidedBy: $decidedBy) { id } }`;
const EMIT = `mutation ($name: String!, $correlation: String, $data: JSON, $id: ID) {
  emitEvent(name: $name, correlation: $correlation, data: $data, id: $id) { id } }`;

/** Answers each node that waits, once; `given` remembers which. */
export async function giveAnswers(
  site: CrashSite,
  runId: string,
  answers: ScriptedAnswers,
  given: Set<string>,
): Promise<void> {
  const { run } = await site.ask<{ run: { nodes: Waiting[] } }>(NODES, { id: runId });
  for (const node of run.nodes.filter(({ status }) => status === 'WAITING')) {
    const place = `${node.id}#${node.path}`;
    if (given.has(place)) continue;
    if (await answered(site, runId, node, answers)) given.add(place);
  }
}

async function answered(site: CrashSite, runId: string, node: Waiting, answers: ScriptedAnswers): Promise<boolean> {
  switch (node.type) {
    case 'approval': {
      const { decision = 'APPROVED', comment = null, data = null, by = null } = answers.approvals?.[node.id] ?? {};
      const place = { runId, nodeId: node.id, path: node.path };
      return succeeds(site.ask(APPROVE, { ...place, decision, comment, data, decidedBy: by }));
    }
    case 'wait': {
      const event = answers.events?.[node.id];
      return event !== undefined && succeeds(site.ask(EMIT, { ...event, id: `${runId}-${node.id}-${node.path}` }));
    }
    default:
      return false;
  }
}

/** A worker that is down, or a read model that is behind, may refuse; the next round asks again. */
async function succeeds(mutation: Promise<unknown>): Promise<boolean> {
  return mutation.then(
    () => true,
    () => false,
  );
}
