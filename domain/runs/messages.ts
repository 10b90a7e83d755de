import type { Json } from '../json.ts';
import type { WorkflowDefinition } from './definition.ts';
import type { ApprovalDecision } from './run-event.ts';

/** Names on the wire between clients and the run workflow. */
export const RUN_WORKFLOW_TYPE = 'run';
export const APPROVE_UPDATE = 'approve';
export const STATE_QUERY = 'state';

/** The workflow's one argument. The codec sends `definition` by its hash alone. */
export type RunArguments = {
  definition: WorkflowDefinition;
  input: Json;
  /** Version of the interpreter that the run pins. */
  interpreterVersion: number;
};

export type ApproveArguments = {
  nodeId: string;
  decision: ApprovalDecision;
  comment: string | null;
  data: Json;
  decidedBy: string | null;
};
