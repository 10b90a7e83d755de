import type { NodeId } from '../identifiers.ts';
import type { Json, JsonObject } from '../json.ts';
import { FIRST_ITERATION, type Iteration } from './activity-id.ts';
import type { Body, CompiledDefinition, CompiledNode } from './compile.ts';
import type { NodeTimeouts, RetryPolicy } from './definition.ts';
import type { ReceivedEvent } from './messages.ts';
import type { NodeType } from './node-types.ts';
import type { Seed } from './rerun/seed.ts';
import type { ApprovalDecision, RunError } from './run-event.ts';
import type { NodeStatus, RunStatus } from './run-status.ts';
import { initialVariables, type Variables, variableValues } from './variables.ts';

export type ApprovalAnswer = {
  readonly decision: ApprovalDecision;
  readonly comment: string | null;
  readonly data: Json;
  readonly decidedBy: string | null;
};

/** How far a container has come. Bodies that have finished are forgotten, but for what they gave. */
export type ContainerState =
  | {
      readonly kind: 'map';
      /** Index of the first item, which is not 0 in a slice. */
      readonly from: number;
      readonly count: number;
      /** Items, or chunks of them, that have begun. */
      readonly next: number;
      readonly active: number;
      readonly concurrency: number;
      /** Items of one child run; null where items run inside this run. */
      readonly chunkSize: number | null;
      readonly results: readonly Json[];
      readonly failed: readonly { readonly index: number; readonly error: RunError }[];
    }
  | { readonly kind: 'loop'; readonly index: number; readonly state: Json }
  | { readonly kind: 'try' };

export type NodeState = {
  readonly id: NodeId;
  readonly type: NodeType;
  readonly status: NodeStatus;
  readonly iteration: Iteration;
  readonly attempts: number;
  /** The resolved config of an activity, wait, child or container; null before it is due and for inline nodes. */
  readonly input: Json;
  readonly output: Json;
  /** The port by which something flows out; null when nothing does. */
  readonly port: string | null;
  readonly error: RunError | null;
  readonly startedAt: number | null;
  readonly closedAt: number | null;
  /** A failure that its own error policy has dealt with. */
  readonly handled: boolean;
  /** There is something to command for it: an activity, a child, a timer. */
  readonly due: boolean;
  /** When the timer under way fires, in ms. */
  readonly deadline: number | null;
  /** Escalations that have happened. */
  readonly stage: number;
  readonly answers: readonly ApprovalAnswer[];
  /** Not to be fused with its neighbours any more. */
  readonly solo: boolean;
  /** A child run of which this link of the run will hear. */
  readonly attached: boolean;
  /** Somebody wants it skipped, with this output, when its turn comes. */
  readonly skip: { readonly output: Json } | null;
  readonly container: ContainerState | null;
  /** The variables as they flow out of it. */
  readonly variables: Variables | null;
  /** The run from which its result was taken over. */
  readonly reused?: string;
  /** Predecessor edges that are not settled yet. */
  readonly unsettled: number;
  /** Settled predecessor edges by which something flows in. */
  readonly live: number;
  /** Settled predecessor edges that can never deliver because of a failure upstream. */
  readonly broken: number;
};

/** What expressions in a body may read besides: `item` and `index` of a map, `pass` of a loop. */
export type Bindings = { readonly item?: Json; readonly index?: Json; readonly pass?: Json };

/** One pass of a body. */
export type ScopeState = {
  /** `<container id>#<iteration of the nodes inside>` */
  readonly key: string;
  readonly container: number;
  readonly iteration: Iteration;
  /** 0-based pass or item. */
  readonly index: number;
  readonly bindings: Bindings;
  /** As they flow in. */
  readonly variables: Variables;
  /** Nodes that are not settled. */
  readonly open: number;
  readonly nodes: readonly NodeState[];
};

/** An undo that stands by, with everything needed to run it. */
export type UndoState = {
  /** `<node id>.undo` */
  readonly id: NodeId;
  readonly type: NodeType;
  readonly status: 'PENDING' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED';
  readonly iteration: Iteration;
  readonly attempts: number;
  readonly input: Json;
  readonly output: Json;
  readonly error: RunError | null;
  readonly startedAt: number | null;
  readonly closedAt: number | null;
  readonly options: { name?: string; retry?: RetryPolicy; timeouts?: NodeTimeouts; taskQueue?: string };
};

/** The part of a run that a child run does: some items of a map, with what they may read. */
export type Slice = {
  nodeId: string;
  iteration: Iteration;
  from: number;
  items: Json[];
  concurrency: number;
  onItemError: 'fail' | 'continue';
  bindings: Bindings;
  variables: Variables;
  /** Views of the nodes outside that the body reads. */
  nodes: { [id: string]: Json };
};

/** Something that waits for its turn in the engine. */
export type Work = { readonly kind: 'ready' | 'step'; readonly node: number; readonly iteration: Iteration };

export type RunState = {
  readonly status: RunStatus;
  readonly input: Json;
  readonly output: Json;
  readonly error: RunError | null;
  readonly cancelRequested: boolean;
  readonly startedAt: number | null;
  readonly closedAt: number | null;
  /** Time of the last event. */
  readonly now: number;
  /** Of the workflow's own body, in definition order; of a slice its container alone. */
  readonly nodes: readonly NodeState[];
  readonly open: number;
  /** Bodies under way, by key. */
  readonly scopes: { readonly [key: string]: ScopeState };
  /** Nodes for which something is to be commanded, in the order in which they became so. */
  readonly agenda: readonly Work[];
  /** Held back while the run is paused, or until the next tick. */
  readonly backlog: readonly Work[];
  /** A tick is on its way. */
  readonly yielding: boolean;
  readonly paused: { readonly reason: string | null; readonly by: string | null } | null;
  /** Failed nodes that somebody may retry or skip. */
  readonly parked: readonly Work[];
  /** Why the run is stopping, under the policy `cancel`. */
  readonly doomed: RunError | null;
  /** In the order in which their nodes completed. */
  readonly undos: readonly UndoState[];
  readonly inbox: readonly ReceivedEvent[];
  readonly seenEvents: readonly string[];
  readonly variables: Variables;
  readonly webhooks: { readonly [nodeId: string]: string };
  readonly slice: Slice | null;
  /** Results of an earlier run that have not been taken over yet. */
  readonly seed?: Seed;
  /** Activities and child runs that are due or under way, and nodes that wait for something outside. */
  readonly busy: number;
  readonly waiting: number;
  /** Nodes of bodies that the last event closed; whoever keeps a record of them takes it now. */
  readonly dropped: readonly NodeState[];
};

export function initialState(compiled: CompiledDefinition, slice: Slice | null = null): RunState {
  const body = rootBody(compiled, slice);
  return {
    status: 'PENDING',
    input: null,
    output: null,
    error: null,
    cancelRequested: false,
    startedAt: null,
    closedAt: null,
    now: 0,
    nodes: body.map((node) => initialNode(node, slice?.iteration ?? FIRST_ITERATION)),
    open: body.length,
    scopes: {},
    agenda: [],
    backlog: [],
    yielding: false,
    paused: null,
    parked: [],
    doomed: null,
    undos: [],
    inbox: [],
    seenEvents: [],
    variables: slice?.variables ?? initialVariables(compiled.definition.variables),
    webhooks: {},
    slice,
    busy: 0,
    waiting: 0,
    dropped: [],
  };
}

export function rootBody(compiled: CompiledDefinition, slice: Slice | null): Body {
  if (slice === null) return compiled.bodies.get(null) ?? [];
  return [compiled.nodes[compiled.indexOf.get(slice.nodeId) ?? -1] as CompiledNode];
}

export function initialNode(node: CompiledNode, iteration: Iteration): NodeState {
  return {
    id: node.id,
    type: node.type,
    status: 'PENDING',
    iteration,
    attempts: 0,
    input: null,
    output: null,
    port: null,
    error: null,
    startedAt: null,
    closedAt: null,
    handled: false,
    due: false,
    deadline: null,
    stage: 0,
    answers: [],
    solo: false,
    attached: false,
    skip: null,
    container: null,
    variables: null,
    unsettled: node.predecessors.length,
    live: 0,
    broken: 0,
  };
}

/** Every execution that the state still holds: of the root, of bodies under way, and undos that have begun. */
export function executionsOf(state: RunState): (NodeState | UndoState)[] {
  return [
    ...state.nodes,
    ...Object.values(state.scopes).flatMap((scope) => scope.nodes),
    ...state.undos.filter((undo) => undo.status !== 'PENDING'),
  ];
}

/** What people see of a state: nodes by id, times as RFC 3339. Bodies under way are in `bodies`, by container and iteration. */
export function stateAsJson(state: RunState): JsonObject {
  const variables = variableValues(state.variables);
  return {
    status: state.status,
    input: state.input,
    output: state.output,
    error: state.error,
    startedAt: timeAsJson(state.startedAt),
    closedAt: timeAsJson(state.closedAt),
    ...(state.paused ? { paused: { ...state.paused } } : {}),
    ...(Object.keys(variables).length > 0 ? { variables } : {}),
    nodes: nodesAsJson(state.nodes),
    ...(Object.keys(state.scopes).length > 0
      ? {
          bodies: Object.fromEntries(Object.values(state.scopes).map((scope) => [scope.key, nodesAsJson(scope.nodes)])),
        }
      : {}),
    ...(state.undos.length > 0
      ? { undos: state.undos.map((undo) => ({ id: undo.id, ...executionAsJson(undo) })) }
      : {}),
  };
}

const timeAsJson = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

function nodesAsJson(nodes: readonly NodeState[]): JsonObject {
  return Object.fromEntries(
    nodes.map((node) => [
      node.id,
      {
        ...executionAsJson(node),
        port: node.port,
        ...(node.handled ? { handled: true } : {}),
        ...(node.reused === undefined ? {} : { reused: node.reused }),
        ...(node.answers.length > 0 ? { answers: node.answers.map((answer) => ({ ...answer })) } : {}),
        ...(node.container ? { progress: progressOf(node.container) } : {}),
      },
    ]),
  );
}

function executionAsJson(node: NodeState | UndoState): JsonObject {
  return {
    type: node.type,
    status: node.status,
    iteration: node.iteration,
    attempts: node.attempts,
    input: node.input,
    output: node.output,
    error: node.error,
    startedAt: timeAsJson(node.startedAt),
    closedAt: timeAsJson(node.closedAt),
  };
}

function progressOf(container: ContainerState): JsonObject {
  switch (container.kind) {
    case 'map':
      return {
        count: container.count,
        begun: container.next,
        active: container.active,
        failed: container.failed.length,
      };
    case 'loop':
      return { iterations: container.index, state: container.state };
    case 'try':
      return {};
  }
}
