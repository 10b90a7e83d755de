import type { Json, JsonObject } from '../json.ts';
import type { FlowPolicies } from './flow-control/flow-policies.ts';

/** JSON Schema, draft 2020-12. */
export type JsonSchema = JsonObject | boolean;

export type RetryPolicy = {
  /** Attempts in all, the first included; 1..100. */
  maximumAttempts?: number;
  initialIntervalMs?: number;
  /** Each wait is the one before times this; >= 1. */
  backoffCoefficient?: number;
  maximumIntervalMs?: number;
  /** Each wait is shortened by a random part of it, up to this fraction; 0..1, default 0. */
  jitter?: number;
  /** Error codes that are never tried again. */
  nonRetryableCodes?: string[];
};

/** Temporal's four activity timeouts. */
export type NodeTimeouts = {
  scheduleToCloseMs?: number;
  scheduleToStartMs?: number;
  startToCloseMs?: number;
  heartbeatMs?: number;
};

/** The activity that undoes a completed node. Its expressions may also read the node itself. */
export type UndoDefinition = {
  /** An activity type. */
  type: string;
  name?: string;
  config?: JsonObject;
  retry?: RetryPolicy;
  timeouts?: NodeTimeouts;
  taskQueue?: string;
};

export type NodeDefinition = {
  /** Letter first, then letters, digits and `_`: it is used as a name in expressions. Unique in the whole definition. */
  id: string;
  /** The container (map, loop, try) in whose body the node is; default is the workflow itself. Edges join nodes of one body. */
  parent?: string;
  type: string;
  /** Shown in the UIs; default is the id. */
  name?: string;
  config?: JsonObject;
  retry?: RetryPolicy;
  timeouts?: NodeTimeouts;
  taskQueue?: string;
  /**
   * What a failure for good (after all retries) does: `fail` (default) fails the body the node is in, `continue` flows on with
   * `fallback` as output, `route` leaves by the extra port `error` with {error} as output.
   */
  onError?: 'fail' | 'continue' | 'route';
  fallback?: Mapping;
  /** Runs when the run fails or is cancelled after the node has completed: the last completed first, one after the other. */
  undo?: UndoDefinition;
  /** Whether the node may share a local activity with its neighbours; default is the compiler's choice. */
  fuse?: boolean;
  /**
   * Whether a rerun of what has changed takes over an earlier result: `same` (default) when the node would ask for the same again,
   * `always` whatever it would ask for, `never`.
   */
  reuse?: 'same' | 'always' | 'never';
};

export type EdgeDefinition = {
  from: string;
  to: string;
  /** The port of `from` that this edge leaves by; default is the type's first port. */
  port?: string;
};

/** A CEL expression, or an object whose leaves are CEL expressions. */
export type Mapping = string | { [key: string]: Mapping };

export type RunPolicies = FlowPolicies & {
  /** The whole run; the server closes it as TIMED_OUT. */
  runTimeoutMs?: number;
  /**
   * After a node has failed for good: `drain` lets the other branches finish first (the outcome then does not depend on timing),
   * `cancel` stops them at once, `pause` holds the run so that somebody can retry or skip the node. Default `drain`.
   */
  onNodeFailure?: 'drain' | 'cancel' | 'pause';
  /** History events after which the run continues as new; 20..10,000, default 2,000. */
  continueAsNewAfterEvents?: number;
};

/** A workflow as data. Immutable once published; addressed by the SHA-256 of its canonical JSON. */
export type WorkflowDefinition = {
  $schema?: string;
  /** Lower-case letters, digits and `-`; the workflow's id within a tenant. */
  name: string;
  description?: string;
  input?: JsonSchema;
  /** Variables that `set` nodes and people may change, with their first values. */
  variables?: JsonObject;
  nodes: NodeDefinition[];
  edges: EdgeDefinition[];
  /** What a completed run returns; default is null. */
  output?: Mapping;
  policies?: RunPolicies;
  /** Free for tools, such as node positions in a drawing; no meaning to the engine. */
  metadata?: { [key: string]: Json };
};

export type ProblemCode =
  | 'DEFINITION_SHAPE'
  | 'NAME_INVALID'
  | 'NODE_ID_EMPTY'
  | 'NODE_ID_INVALID'
  | 'NODE_ID_DUPLICATE'
  | 'NODE_TYPE_UNKNOWN'
  | 'EDGE_TARGET_UNKNOWN'
  | 'EDGE_PORT_UNKNOWN'
  | 'EDGE_DUPLICATE'
  | 'EDGE_LEAVES_BODY'
  | 'PARENT_UNKNOWN'
  | 'PARENT_INVALID'
  | 'VARIABLE_UNKNOWN'
  | 'CYCLE'
  | 'NODE_UNREACHABLE'
  | 'CONFIG_MISSING'
  | 'CONFIG_TYPE'
  | 'CONFIG_UNKNOWN'
  | 'EXPRESSION_INVALID'
  | 'TEMPLATE_INVALID'
  | 'REFERENCE_UNKNOWN'
  | 'REFERENCE_NOT_BEFORE'
  | 'INPUT_SCHEMA_INVALID'
  | 'QUEUE_UNKNOWN'
  | 'QUEUE_NOT_ALLOWED'
  | 'LIMIT_EXCEEDED';

/** Of nodes whose task queue no pool serves, or not for them; they depend on the table of pools, not on the definition alone. */
export type QueueProblemCode = 'QUEUE_UNKNOWN' | 'QUEUE_NOT_ALLOWED';

/** Of subworkflows, which depend on what is published. */
export type SubworkflowProblemCode = 'SUBWORKFLOW_UNKNOWN' | 'SUBWORKFLOW_CYCLE' | 'SUBWORKFLOW_INPUT';

export type DefinitionProblem = {
  code: ProblemCode | QueueProblemCode | SubworkflowProblemCode;
  /** JSON Pointer into the definition. */
  path: string;
  nodeId: string | null;
  message: string;
  hint: string | null;
};
