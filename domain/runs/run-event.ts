import type { NodeId } from '../identifiers.ts';
import type { Json } from '../json.ts';

export type RunError = { code: string; message: string; nodeId: string | null; hint: string | null };

export const APPROVAL_DECISIONS = ['APPROVED', 'REJECTED'] as const;
export type ApprovalDecision = (typeof APPROVAL_DECISIONS)[number];

type NodeRef = { nodeId: NodeId; iteration: number };

/**
 * What changes a run. `at` is in ms since the epoch: the time Temporal gave the history event, or the workflow's own time
 * while it runs. The engine never reads another clock.
 */
export type RunEvent = { at: number } & (
  | { type: 'run.started'; input: Json }
  | ({ type: 'node.scheduled' } & NodeRef)
  | ({ type: 'node.started'; attempt: number } & NodeRef)
  | ({ type: 'node.completed'; output: Json } & NodeRef)
  | ({ type: 'node.failed'; error: RunError } & NodeRef)
  | ({ type: 'node.cancelled' } & NodeRef)
  | ({ type: 'timer.started' } & NodeRef)
  | ({ type: 'timer.fired' } & NodeRef)
  | ({
      type: 'approval.decided';
      decision: ApprovalDecision;
      comment: string | null;
      data: Json;
      decidedBy: string | null;
    } & NodeRef)
  | { type: 'run.cancel_requested'; reason: string | null }
  | { type: 'run.completed'; output: Json }
  | { type: 'run.failed'; error: RunError }
  | { type: 'run.cancelled' }
  | { type: 'run.terminated'; reason: string | null }
  | { type: 'run.timed_out' }
);
export type RunEventType = RunEvent['type'];
