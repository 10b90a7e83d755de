import type { DefinitionHash, NodeId, RunId, TenantId, WorkflowId } from '../identifiers.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Iteration } from './activity-id.ts';
import type { WorkflowDefinition } from './definition.ts';
import type { Labels } from './flow-control/labels.ts';
import type { RunError } from './run-event.ts';
import type { NodeStatus, RunStatus } from './run-status.ts';
import type { RunTrigger } from './triggers/run-trigger.ts';

/** A published version of a definition. */
export type PublishedDefinition = {
  tenantId: TenantId;
  workflowId: WorkflowId;
  /** 1, 2, 3 ... within the workflow. */
  version: number;
  hash: DefinitionHash;
  definition: WorkflowDefinition;
  createdAt: Date;
  /** It starts no new runs. */
  deprecation: { at: Date; reason: string | null } | null;
};

/** Why no node of a run starts; nobody in particular where its own policy or an API without sign-in did it. */
export type Pause = { reason: string | null; by: string | null };

/** What a run has to do with the one whose results it took over. */
export type Rerun = {
  of: RunId;
  kind: 'RERUN' | 'FORK' | 'REUSE' | 'COUNTERFACTUAL';
  /** The event after which a fork goes on. */
  eventId: number | null;
  /** The nodes that were to run again; null: whatever has changed. */
  nodeIds: string[] | null;
  /** What was given by hand. */
  patches: JsonObject;
  /** The batch of counterfactual runs that it belongs to. */
  batchId?: string;
};

/** One row of the read model `runs`; inserted before Temporal starts the run, then kept by the projector alone. */
export type RunRecord = {
  id: RunId;
  tenantId: TenantId;
  workflowId: WorkflowId;
  version: number;
  definitionHash: DefinitionHash;
  status: RunStatus;
  input: Json;
  output: Json;
  error: RunError | null;
  idempotencyKey: string | null;
  trigger: RunTrigger;
  /** The node of another run that started this one. */
  parent: { runId: RunId; nodeId: NodeId; iteration: Iteration } | null;
  /** The run whose results it has taken over. */
  rerun: Rerun | null;
  /** Whose personal data its values are; null where nobody said so. */
  subject: string | null;
  labels: Labels;
  /** 1 (first) to 5 (last). */
  priority: number;
  createdAt: Date;
  startedAt: Date | null;
  closedAt: Date | null;
  /** Temporal's run id of the latest link; null until the first event was read. */
  temporalRunId: string | null;
  /** Events stored so far, over all links. */
  eventCount: number;
  /** Null but while it is PAUSED. */
  paused: Pause | null;
};

/** One row of the read model `node_executions`, keyed by (run, node, iteration); undos are rows of their own. */
export type NodeExecutionRecord = {
  runId: RunId;
  nodeId: NodeId;
  iteration: Iteration;
  type: string;
  status: NodeStatus;
  attempts: number;
  input: Json;
  output: Json;
  error: RunError | null;
  startedAt: Date | null;
  closedAt: Date | null;
  /** The port by which something flowed out. */
  port: string | null;
  /** It failed, and its own error policy has dealt with it. */
  handled: boolean;
  /** The run from which its result was taken over. */
  reusedFrom: RunId | null;
};
