import { AppError } from '../errors.ts';
import type { Json } from '../json.ts';
import { approvalOutcome, approvalTimeoutOutcome } from './approval.ts';
import type { CompiledDefinition, CompiledNode } from './compile.ts';
import { contextOf, resolveConfig } from './resolve-config.ts';
import { toRunError } from './run-error.ts';
import type { RunError, RunEvent } from './run-event.ts';
import { runInlineNode, type Outcome } from './run-inline-node.ts';
import type { NodeState, RunState } from './run-state.ts';
import { isClosed, isSettled, type RunStatus } from './run-status.ts';

/**
 * The state after an event. Pure and total: an event that does not fit the state (a late result, an unknown node) changes nothing.
 * Whatever becomes computable by the event is computed at once: skips spread, inline nodes run, waits open, activities become due.
 */
export function evolve(compiled: CompiledDefinition, state: RunState, event: RunEvent): RunState {
  if (isClosed(state.status)) return state;
  const change = new Change(compiled, state, event.at);
  switch (event.type) {
    case 'run.started':
      return change.start(event.input);
    case 'node.scheduled':
      change.patch(event, 'PENDING', { status: 'RUNNING', due: false, startedAt: event.at });
      return change.finish();
    case 'node.started':
      change.patch(event, 'RUNNING', { attempts: event.attempt });
      return change.finish();
    case 'node.completed':
      change.complete(change.find(event, 'RUNNING'), { output: event.output, port: null });
      return change.finish();
    case 'node.failed':
      change.fail(change.find(event, 'RUNNING'), event.error);
      return change.finish();
    case 'node.cancelled':
      change.cancel(change.find(event, 'RUNNING'));
      return change.finish();
    case 'timer.started':
      change.patch(event, 'WAITING', { timerStarted: true });
      return change.finish();
    case 'timer.fired':
      change.timeUp(change.find(event, 'WAITING'));
      return change.finish();
    case 'approval.decided':
      change.decided(change.find(event, 'WAITING'), event);
      return change.finish();
    case 'run.cancel_requested':
      return { ...state, cancelRequested: true };
    case 'run.completed':
      return change.close('COMPLETED', event.output, null);
    case 'run.failed':
      return change.close('FAILED', null, event.error);
    case 'run.cancelled':
      return change.close('CANCELLED', null, null);
    case 'run.terminated':
      return change.close('TERMINATED', null, null);
    case 'run.timed_out':
      return change.close('TIMED_OUT', null, toRunError(new AppError('RUN_TIMED_OUT'), null));
  }
}

type EventOfNode = { nodeId: string; iteration: number };

/** One step from a state to the next: a draft of the node list and the nodes whose settling has not spread yet. */
class Change {
  readonly #compiled: CompiledDefinition;
  readonly #state: RunState;
  readonly #at: number;
  readonly #nodes: NodeState[];
  readonly #settled: number[] = [];

  constructor(compiled: CompiledDefinition, state: RunState, at: number) {
    this.#compiled = compiled;
    this.#state = state;
    this.#at = at;
    this.#nodes = [...state.nodes];
  }

  start(input: Json): RunState {
    if (this.#state.status !== 'PENDING') return this.#state;
    const started: RunState = { ...this.#state, status: 'RUNNING', input, startedAt: this.#at };
    const change = new Change(this.#compiled, started, this.#at);
    for (const node of this.#compiled.nodes) if (node.predecessors.length === 0) change.#ready(node);
    return change.finish();
  }

  find(event: EventOfNode, status: NodeState['status']): CompiledNode | null {
    const node = this.#compiled.nodes[this.#compiled.indexOf.get(event.nodeId) ?? -1];
    const current = node && this.#nodes[node.index];
    return node && current?.status === status && current.iteration === event.iteration ? node : null;
  }

  patch(event: EventOfNode, status: NodeState['status'], fields: Partial<NodeState>): void {
    const node = this.find(event, status);
    if (node) this.#set(node, fields);
  }

  complete(node: CompiledNode | null, outcome: { output: Json; port: string | null }): void {
    if (node === null) return;
    const port = outcome.port ?? node.row.ports[0];
    this.#settle(node, { status: 'COMPLETED', output: outcome.output, port });
  }

  fail(node: CompiledNode | null, error: RunError): void {
    if (node) this.#settle(node, { status: 'FAILED', error: { ...error, nodeId: error.nodeId ?? node.id } });
  }

  cancel(node: CompiledNode | null): void {
    if (node) this.#settle(node, { status: 'CANCELLED' });
  }

  timeUp(node: CompiledNode | null): void {
    if (node === null) return;
    if (node.type === 'delay') this.complete(node, { output: null, port: null });
    else this.#decide(node, () => approvalTimeoutOutcome(this.#nodes[node.index]?.input ?? null));
  }

  decided(node: CompiledNode | null, event: Extract<RunEvent, { type: 'approval.decided' }>): void {
    if (node?.type !== 'approval') return;
    this.#decide(node, () => approvalOutcome(this.#nodes[node.index]?.input ?? null, event));
  }

  close(status: RunStatus, output: Json, error: RunError | null): RunState {
    const nodes = this.#nodes.map((node) =>
      isSettled(node.status) ? node : { ...node, status: 'CANCELLED' as const, due: false, closedAt: this.#at },
    );
    return { ...this.#state, status, output, error, closedAt: this.#at, nodes };
  }

  /** Spreads what has settled until nothing more follows. */
  finish(): RunState {
    for (let index = this.#settled.shift(); index !== undefined; index = this.#settled.shift()) this.#spread(index);
    const running = this.#nodes.some((node) => node.status === 'RUNNING' || node.due);
    const waiting = !running && this.#nodes.some((node) => node.status === 'WAITING');
    const status = this.#state.status === 'PENDING' ? 'PENDING' : waiting ? 'WAITING' : 'RUNNING';
    return { ...this.#state, status, nodes: this.#nodes };
  }

  #spread(index: number): void {
    const source = this.#nodes[index] as NodeState;
    const broken = source.status === 'FAILED' || source.status === 'CANCELLED';
    for (const edge of (this.#compiled.nodes[index] as CompiledNode).successors) {
      const target = this.#compiled.nodes[edge.to] as CompiledNode;
      const current = this.#nodes[edge.to] as NodeState;
      const live = source.status === 'COMPLETED' && source.port === edge.port;
      const next = {
        ...current,
        unsettled: current.unsettled - 1,
        live: current.live + Number(live),
        broken: current.broken + Number(broken),
      };
      this.#nodes[edge.to] = next;
      if (next.unsettled > 0) continue;
      if (next.broken > 0) this.#settle(target, { status: 'CANCELLED' });
      else if (next.live > 0) this.#ready(target);
      else this.#settle(target, { status: 'SKIPPED' });
    }
  }

  #ready(node: CompiledNode): void {
    try {
      const input = resolveConfig(node, contextOf(this.#compiled, this.#state, this.#nodes));
      if (node.row.class === 'activity') this.#set(node, { due: true, input });
      else if (node.row.class === 'wait') this.#set(node, { status: 'WAITING', input, startedAt: this.#at });
      else this.complete(node, runInlineNode(node, input, this.#nodes));
    } catch (error) {
      this.fail(node, toRunError(error, node.id));
    }
  }

  #decide(node: CompiledNode, outcome: () => Outcome): void {
    try {
      this.complete(node, outcome());
    } catch (error) {
      this.fail(node, toRunError(error, node.id));
    }
  }

  #settle(node: CompiledNode, fields: Partial<NodeState>): void {
    const startedAt =
      this.#nodes[node.index]?.startedAt ??
      (fields.status === 'COMPLETED' || fields.status === 'FAILED' ? this.#at : null);
    this.#set(node, { ...fields, startedAt, closedAt: this.#at, due: false });
    this.#settled.push(node.index);
  }

  #set(node: CompiledNode, fields: Partial<NodeState>): void {
    this.#nodes[node.index] = { ...(this.#nodes[node.index] as NodeState), ...fields };
  }
}
