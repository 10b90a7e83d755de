import type { Json } from '../json.ts';
import type { WorkflowDefinition } from './definition.ts';
import type { Seed } from './rerun/seed.ts';
import type { ApprovalDecision } from './run-event.ts';
import type { RunState, Slice, UndoState } from './run-state.ts';
import type { NodeMapping } from './versions/node-mapping.ts';

/** Names on the wire between clients and the run workflow. */
export const RUN_WORKFLOW_TYPE = 'run';
export const APPROVE_UPDATE = 'approve';
export const PAUSE_UPDATE = 'pause';
export const RESUME_UPDATE = 'resume';
export const RETRY_UPDATE = 'retryNode';
export const SKIP_UPDATE = 'skipNode';
export const SET_VARIABLE_UPDATE = 'setVariable';
export const DELIVER_UPDATE = 'deliver';
export const MIGRATE_UPDATE = 'migrate';
export const EVENT_SIGNAL = 'event';
export const STATE_QUERY = 'state';

/** The local activity that runs fused nodes, and the activity that waits for a child run started by an earlier link. */
export const GROUP_ACTIVITY = 'weft.group';
export const CHILD_RESULT_ACTIVITY = 'weft.childResult';
/** The summary of the timer by which a long computation gives way. */
export const YIELD_TIMER = 'weft.yield';

/** Bumped when the interpreter would issue other commands for the same history. */
export const INTERPRETER_VERSION = 2;

/** First argument of the run workflow. */
export type RunArguments = {
  input: Json;
  /** The version of the interpreter that the run pins. */
  interpreterVersion: number;
  /** Signed addresses of the definition's webhook nodes. */
  webhooks?: { [nodeId: string]: string };
  /** Of a child run: its id. Its parent cannot sign, so whoever sends the arguments off puts the addresses in. */
  addressedTo?: string;
  /** A run started by another answers with a ChildResult. */
  child?: true;
  /** A child run that does some items of a map. */
  slice?: Slice;
  /** Results of an earlier run that are taken over. */
  seed?: Seed;
  /** The state of an earlier run from which this one goes on. */
  forked?: RunState;
  /** Where the link before this one left off. */
  continued?: RunState;
  /** The version of this link, when it is another than that of the link before. */
  migrated?: MigratedTo;
};

/** Second argument. The codec stores it once and sends its hash, so history pays about 100 bytes for it. */
export type DefinitionArgument = { weftDefinition: WorkflowDefinition };
/** What a run that only knows the hash of a definition gives for it; the codec makes a DefinitionArgument of it. */
export type DefinitionHashArgument = { weftDefinitionHash: string };

/** What a child run returns: its output, and what undoes it should its parent fail. */
export type ChildResult = { output: Json; undos: readonly UndoState[] };

/** What a message sent by hand leaves out is null. */
export type ApproveArguments = {
  nodeId: string;
  /** Which execution of the node; default is the one that waits. */
  iteration?: string | null;
  decision: ApprovalDecision;
  comment?: string | null;
  data?: Json;
  decidedBy?: string | null;
};

export type PauseArguments = { reason?: string | null; by?: string | null };
export type ResumeArguments = { by?: string | null };
export type NodeArguments = { nodeId: string; iteration?: string | null; by?: string | null };
export type SkipArguments = NodeArguments & { output?: Json };
export type SetVariableArguments = { name: string; value?: Json; by?: string | null };
/** The version that a run goes on in, and where its nodes are there. */
export type MigratedTo = {
  version: number;
  hash: string;
  mapping: NodeMapping;
  /** Addresses of webhook nodes that the run did not have. */
  webhooks?: { [nodeId: string]: string };
  by: string | null;
};
/** Of the update `migrate`; its second argument is the definition. */
export type MigrateArguments = MigratedTo & { reason: string | null };
export type DeliverArguments = { nodeId: string; iteration?: string | null; data?: Json };

/** Argument of the `event` signal. The same id is taken once. */
export type ReceivedEvent = { id: string; name: string; correlation: string | null; data: Json };
export type EventArguments = Pick<ReceivedEvent, 'id' | 'name'> & Partial<ReceivedEvent>;
