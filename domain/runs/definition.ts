import type { Json, JsonObject } from '../json.ts';

/** JSON Schema, draft 2020-12. */
export type JsonSchema = JsonObject | boolean;

export type RetryPolicy = {
  /** Attempts in all, the first included; 1..100. */
  maximumAttempts?: number;
  initialIntervalMs?: number;
  /** Each wait is the one before times this; >= 1. */
  backoffCoefficient?: number;
  maximumIntervalMs?: number;
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

export type NodeDefinition = {
  /** Letter first, then letters, digits and `_`: it is used as a name in expressions. */
  id: string;
  type: string;
  /** Shown in the UIs; default is the id. */
  name?: string;
  config?: JsonObject;
  retry?: RetryPolicy;
  timeouts?: NodeTimeouts;
  taskQueue?: string;
};

export type EdgeDefinition = {
  from: string;
  to: string;
  /** The port of `from` that this edge leaves by; default is the type's first port. */
  port?: string;
};

/** A CEL expression, or an object whose leaves are CEL expressions. */
export type Mapping = string | { [key: string]: Mapping };

export type RunPolicies = {
  /** The whole run; the server closes it as TIMED_OUT. */
  runTimeoutMs?: number;
  /**
   * After a node has failed for good: `drain` lets the other branches finish first (the outcome then does not depend on timing),
   * `cancel` ends the run at once. Default `drain`.
   */
  onNodeFailure?: 'drain' | 'cancel';
};

/** A workflow as data. Immutable once published; addressed by the SHA-256 of its canonical JSON. */
export type WorkflowDefinition = {
  $schema?: string;
  /** Lower-case letters, digits and `-`; the workflow's id within a tenant. */
  name: string;
  description?: string;
  input?: JsonSchema;
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
  | 'LIMIT_EXCEEDED';

/** Of nodes whose task queue no pool serves, or not for them; they depend on the table of pools, not on the definition alone. */
export type QueueProblemCode = 'QUEUE_UNKNOWN' | 'QUEUE_NOT_ALLOWED';

export type DefinitionProblem = {
  code: ProblemCode | QueueProblemCode;
  /** JSON Pointer into the definition. */
  path: string;
  nodeId: string | null;
  message: string;
  hint: string | null;
};
