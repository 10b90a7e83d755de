import type { DefinitionHash, NodeId, RunId, TenantId, WorkflowId } from '../identifiers.ts';
import type { Json } from '../json.ts';
import type { WorkflowDefinition } from './definition.ts';
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
  createdAt: Date;
  startedAt: Date | null;
  closedAt: Date | null;
  /** Temporal's run id of the latest link; null until the first event was read. */
  temporalRunId: string | null;
  /** Events stored so far, over all links. */
  eventCount: number;
};

/** One row of the read model `node_executions`, keyed by (run, node, iteration). */
export type NodeExecutionRecord = {
  runId: RunId;
  nodeId: NodeId;
  iteration: number;
  type: string;
  status: NodeStatus;
  attempts: number;
  input: Json;
  output: Json;
  error: RunError | null;
  startedAt: Date | null;
  closedAt: Date | null;
};
