import type { NodeId } from '../identifiers.ts';
import type { Json, JsonObject } from '../json.ts';
import type { CompiledDefinition } from './compile.ts';
import type { NodeType } from './node-types.ts';
import type { RunError } from './run-event.ts';
import type { NodeStatus, RunStatus } from './run-status.ts';

export type NodeState = {
  readonly id: NodeId;
  readonly type: NodeType;
  readonly status: NodeStatus;
  /** 1 for the first time a node runs. */
  readonly iteration: number;
  readonly attempts: number;
  /** The resolved config of an activity or wait node; null before it is due and for inline nodes. */
  readonly input: Json;
  readonly output: Json;
  /** The port a completed node leaves by. */
  readonly port: string | null;
  readonly error: RunError | null;
  readonly startedAt: number | null;
  readonly closedAt: number | null;
  /** An activity whose predecessors are settled and which has not been scheduled yet. */
  readonly due: boolean;
  readonly timerStarted: boolean;
  /** Predecessor edges that are not settled yet. */
  readonly unsettled: number;
  /** Settled predecessor edges by which something flows in. */
  readonly live: number;
  /** Settled predecessor edges that can never deliver because of a failure upstream. */
  readonly broken: number;
};

export type RunState = {
  readonly status: RunStatus;
  readonly input: Json;
  readonly output: Json;
  readonly error: RunError | null;
  readonly cancelRequested: boolean;
  readonly startedAt: number | null;
  readonly closedAt: number | null;
  /** In definition order. */
  readonly nodes: readonly NodeState[];
};

export function initialState(compiled: CompiledDefinition): RunState {
  return {
    status: 'PENDING',
    input: null,
    output: null,
    error: null,
    cancelRequested: false,
    startedAt: null,
    closedAt: null,
    nodes: compiled.nodes.map((node) => ({
      id: node.id,
      type: node.type,
      status: 'PENDING',
      iteration: 1,
      attempts: 0,
      input: null,
      output: null,
      port: null,
      error: null,
      startedAt: null,
      closedAt: null,
      due: false,
      timerStarted: false,
      unsettled: node.predecessors.length,
      live: 0,
      broken: 0,
    })),
  };
}

/** What people see of a state: nodes by id, times as RFC 3339. */
export function stateAsJson(state: RunState): JsonObject {
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return {
    status: state.status,
    input: state.input,
    output: state.output,
    error: state.error,
    startedAt: time(state.startedAt),
    closedAt: time(state.closedAt),
    nodes: Object.fromEntries(
      state.nodes.map((node) => [
        node.id,
        {
          type: node.type,
          status: node.status,
          iteration: node.iteration,
          attempts: node.attempts,
          input: node.input,
          output: node.output,
          port: node.port,
          error: node.error,
          startedAt: time(node.startedAt),
          closedAt: time(node.closedAt),
        },
      ]),
    ),
  };
}
