import type { NodeId } from '../identifiers.ts';
import type { Json } from '../json.ts';
import type { Iteration } from './activity-id.ts';
import type { ReceivedEvent } from './messages.ts';
import type { Seed } from './rerun/seed.ts';
import type { RunState } from './run-state.ts';

export type RunError = { code: string; message: string; nodeId: string | null; hint: string | null };

export const APPROVAL_DECISIONS = ['APPROVED', 'REJECTED'] as const;
export type ApprovalDecision = (typeof APPROVAL_DECISIONS)[number];

export type NodeRef = { nodeId: NodeId; iteration: Iteration };
/** From outside the iteration may be left open: the only execution that the event fits is meant. */
export type OpenNodeRef = { nodeId: NodeId; iteration: Iteration | null };
/** A child run: the whole of a subworkflow node (chunk null) or a slice of a map. */
export type ChildRef = NodeRef & { chunk: number | null };

/** What one member of a fused group came to. */
export type GroupResult = NodeRef & { startedAt: number; closedAt: number } & (
    | { output: Json }
    /** `retryable`: the node is tried again by itself, under its own retry policy. */
    | { error: RunError; retryable: boolean }
  );

/**
 * What changes a run. `at` is in ms since the epoch: the time Temporal gave the history event, or the workflow's own time
 * while it runs. The engine never reads another clock.
 */
export type RunEvent = { at: number } & (
  | {
      type: 'run.started';
      input: Json;
      webhooks?: { [nodeId: string]: string };
      /** Of a rerun. */
      seed?: Seed;
      /** Of a fork: the state of another run, from which this one goes on. */
      forked?: RunState;
    }
  | ({ type: 'node.scheduled' } & NodeRef)
  | ({ type: 'node.started'; attempt: number } & NodeRef)
  | ({ type: 'node.completed'; output: Json } & NodeRef)
  | ({ type: 'node.failed'; error: RunError } & NodeRef)
  /** Its activity may not go on before a moment (ms since the epoch) and gave way; it is no attempt of its. */
  | ({ type: 'node.parked'; until: number; error: RunError } & NodeRef)
  | ({ type: 'node.cancelled' } & NodeRef)
  /** Fused nodes: one local activity, one event. `nodeId` is the first of them. */
  | ({ type: 'group.completed'; results: readonly GroupResult[] } & NodeRef)
  | ({ type: 'group.failed' } & NodeRef)
  | ({ type: 'child.scheduled'; runId: string } & ChildRef)
  | ({ type: 'child.started' } & ChildRef)
  | ({ type: 'child.completed'; output: Json } & ChildRef)
  | ({ type: 'child.failed'; error: RunError } & ChildRef)
  | ({ type: 'timer.started' } & NodeRef)
  | ({ type: 'timer.fired' } & NodeRef)
  | ({
      type: 'approval.decided';
      decision: ApprovalDecision;
      comment: string | null;
      data: Json;
      decidedBy: string | null;
    } & OpenNodeRef)
  | ({ type: 'event.received' } & ReceivedEvent)
  | ({ type: 'webhook.received'; data: Json } & OpenNodeRef)
  | ({ type: 'node.retry_requested'; by: string | null } & OpenNodeRef)
  | ({ type: 'node.skip_requested'; output: Json; by: string | null } & OpenNodeRef)
  | { type: 'variable.set'; name: string; value: Json; by: string | null }
  | { type: 'run.paused'; reason: string | null; by: string | null }
  | { type: 'run.resumed'; by: string | null }
  /** A long computation inside the engine gives way, so that no workflow task takes long. */
  | { type: 'run.yielded' }
  | { type: 'run.ticked' }
  | { type: 'run.continued_as_new' }
  | { type: 'run.cancel_requested'; reason: string | null }
  | { type: 'run.completed'; output: Json }
  | { type: 'run.failed'; error: RunError }
  | { type: 'run.cancelled' }
  | { type: 'run.terminated'; reason: string | null }
  | { type: 'run.timed_out' }
);
export type RunEventType = RunEvent['type'];

type WithoutTime<Event> = Event extends unknown ? Omit<Event, 'at'> : never;
/** An event whose time is not known yet. */
export type Happening = WithoutTime<RunEvent>;
