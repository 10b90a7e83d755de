import type { Json } from '../json.ts';
import type { WorkflowDefinition } from './definition.ts';
import type { ApprovalDecision } from './run-event.ts';

/** Names on the wire between clients and the run workflow. */
export const RUN_WORKFLOW_TYPE = 'run';
export const APPROVE_UPDATE = 'approve';
export const STATE_QUERY = 'state';

/** Bumped when the interpreter would issue other commands for the same history. */
export const INTERPRETER_VERSION = 1;

/** First argument of the run workflow. */
export type RunArguments = {
  input: Json;
  /** The version of the interpreter that the run pins. */
  interpreterVersion: number;
};

/** Second argument. The codec stores it once and sends its hash, so history pays about 100 bytes for it. */
export type DefinitionArgument = { weftDefinition: WorkflowDefinition };

export type ApproveArguments = {
  nodeId: string;
  decision: ApprovalDecision;
  comment: string | null;
  data: Json;
  decidedBy: string | null;
};
