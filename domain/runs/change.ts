import type { Json } from '../json.ts';
import type { Iteration } from './activity-id.ts';
import type { Body, CompiledDefinition, CompiledNode } from './compile.ts';
import { bodyFinished, stepContainer } from './container.ts';
import { bindingsAt } from './context.ts';
import { failNode } from './fail-node.ts';
import { variablesBefore, variablesOut } from './flow.ts';
import { startNode } from './start-node.ts';
import { keepUndo } from './undo.ts';
import { LIMITS } from './limits.ts';
import { type Place, placeOf, positionOf, ROOT } from './place.ts';
import { toRunError } from './run-error.ts';
import type { RunError } from './run-event.ts';
import type { Outcome } from './run-inline-node.ts';
import {
  type Bindings,
  initialNode,
  type NodeState,
  rootBody,
  type RunState,
  type ScopeState,
  type UndoState,
  type Work,
} from './run-state.ts';
import { isSettled } from './run-status.ts';
import type { Variables } from './variables.ts';

type Settled = 'COMPLETED' | 'FAILED' | 'SKIPPED' | 'CANCELLED';

/**
 * One step from a state to the next: a draft of what changes. Whatever becomes computable is computed: skips spread, inline nodes
 * run, waits open, bodies begin and end, activities become due; at most LIMITS.stepsPerEvent of it, the rest waits for a tick.
 */
export class Change {
  readonly compiled: CompiledDefinition;
  readonly at: number;
  /** Fields other than those kept in drafts. */
  state: RunState;
  readonly #roots: NodeState[];
  #rootOpen: number;
  readonly #scopes: Record<string, ScopeState>;
  /** Scopes whose node list is a draft already. */
  readonly #drafts = new Set<string>();
  readonly #dropped: NodeState[] = [];
  /** Lists that no earlier state shares. */
  readonly #owned = new WeakSet<readonly Json[]>();
  readonly #settled: Place[] = [];
  #work: Work[] = [];
  #agenda: Work[];
  #undos: readonly UndoState[];
  #busy: number;
  #waiting: number;
  #steps = 0;

  constructor(compiled: CompiledDefinition, state: RunState, at: number) {
    this.compiled = compiled;
    this.at = at;
    this.state = state;
    this.#roots = [...state.nodes];
    this.#rootOpen = state.open;
    this.#scopes = { ...state.scopes };
    this.#agenda = [...state.agenda];
    this.#undos = state.undos;
    this.#busy = state.busy;
    this.#waiting = state.waiting;
  }

  get closing(): boolean {
    return this.state.cancelRequested || this.state.doomed !== null;
  }

  get undos(): readonly UndoState[] {
    return this.#undos;
  }

  set undos(undos: readonly UndoState[]) {
    this.#undos = undos;
  }

  /** The list itself where this change has made it, else a copy: thousands of items would copy thousands of results. */
  owned(list: readonly Json[]): Json[] {
    if (this.#owned.has(list)) return list as Json[];
    const copy = [...list];
    this.#owned.add(copy);
    return copy;
  }

  patchState(fields: Partial<RunState>): void {
    this.state = { ...this.state, ...fields };
  }

  place(node: CompiledNode, iteration: Iteration): Place {
    return placeOf(this.compiled, this.state.slice, node, iteration);
  }

  placeOfWork({ node, iteration }: Work): Place {
    return this.place(this.compiled.nodes[node] as CompiledNode, iteration);
  }

  /** The place of an event's node, when it is in the status in which such an event makes sense. */
  find(event: { nodeId: string; iteration: Iteration | null }, status: NodeState['status']): Place | null {
    const node = this.compiled.nodes[this.compiled.indexOf.get(event.nodeId) ?? -1];
    if (node === undefined) return null;
    if (event.iteration === null) return this.#only(node, status);
    const place = this.place(node, String(event.iteration));
    return this.peek(place)?.status === status && this.peek(place)?.iteration === place.iteration ? place : null;
  }

  #only(node: CompiledNode, status: NodeState['status']): Place | null {
    for (const { place, current } of this.executions()) {
      if (place.node === node && current.status === status) return place;
    }
    return null;
  }

  peek({ node, scope }: Place): NodeState | undefined {
    const position = positionOf(node, this.state.slice);
    return scope === ROOT ? this.#roots[position] : this.#scopes[scope]?.nodes[position];
  }

  get(place: Place): NodeState {
    return this.peek(place) as NodeState;
  }

  scope(key: string): ScopeState | undefined {
    return this.#scopes[key];
  }

  scopes(): readonly ScopeState[] {
    return Object.values(this.#scopes);
  }

  body(scope: string): Body {
    if (scope === ROOT) return rootBody(this.compiled, this.state.slice);
    return this.compiled.bodies.get((this.#scopes[scope] as ScopeState).container) ?? [];
  }

  nodesOf(scope: string): readonly NodeState[] {
    return scope === ROOT ? this.#roots : (this.#scopes[scope] as ScopeState).nodes;
  }

  /** Every execution under way, with its place. */
  *executions(): Generator<{ place: Place; current: NodeState }> {
    for (const scope of [ROOT, ...Object.keys(this.#scopes)]) {
      for (const node of this.body(scope)) {
        const position = positionOf(node, this.state.slice);
        const current = this.nodesOf(scope)[position] as NodeState;
        yield { place: { node, iteration: current.iteration, scope }, current };
      }
    }
  }

  set(place: Place, fields: Partial<NodeState>): void {
    const { node, scope } = place;
    const before = this.get(place);
    const after = { ...before, ...fields };
    this.#busy += Number(isBusy(node, after)) - Number(isBusy(node, before));
    this.#waiting += Number(after.status === 'WAITING') - Number(before.status === 'WAITING');
    if (after.due !== before.due) this.#putOnAgenda(place, after.due);
    const position = positionOf(node, this.state.slice);
    if (scope === ROOT) this.#roots[position] = after;
    else (this.#draftOf(scope).nodes as NodeState[])[position] = after;
  }

  patch(place: Place | null, fields: Partial<NodeState>): void {
    if (place) this.set(place, fields);
  }

  #putOnAgenda({ node, iteration }: Place, due: boolean): void {
    if (due) this.#agenda.push({ kind: 'ready', node: node.index, iteration });
    else this.#agenda = this.#agenda.filter((one) => one.node !== node.index || one.iteration !== iteration);
  }

  #draftOf(key: string): ScopeState {
    const scope = this.#scopes[key] as ScopeState;
    if (this.#drafts.has(key)) return scope;
    const draft = { ...scope, nodes: [...scope.nodes] };
    this.#drafts.add(key);
    this.#scopes[key] = draft;
    return draft;
  }

  /** Begins one pass of a container's body. */
  openScope(container: Place, index: number, iteration: Iteration, own: Bindings, variables: Variables): void {
    const key = `${container.node.id}#${iteration}`;
    const body = this.compiled.bodies.get(container.node.index) ?? [];
    this.#scopes[key] = {
      key,
      container: container.node.index,
      iteration,
      index,
      bindings: { ...bindingsAt(this, container), ...own },
      variables,
      open: body.length,
      nodes: body.map((node) => initialNode(node, iteration)),
    };
    for (const node of body) {
      if (node.predecessors.length === 0) this.#work.push({ kind: 'ready', node: node.index, iteration });
    }
  }

  /** Forgets a body that has ended; whoever keeps records takes its nodes from `dropped`. */
  closeScope(key: string): void {
    this.#dropped.push(...(this.#scopes[key] as ScopeState).nodes);
    delete this.#scopes[key];
  }

  setScopeVariables(key: string, variables: Variables): void {
    this.#scopes[key] = { ...this.#draftOf(key), variables };
  }

  step(place: Place): void {
    this.#work.push({ kind: 'step', node: place.node.index, iteration: place.iteration });
  }

  ready(place: Place): void {
    this.#work.push({ kind: 'ready', node: place.node.index, iteration: place.iteration });
  }

  resume(): void {
    this.#work.push(...this.state.backlog);
    this.patchState({ backlog: [] });
  }

  complete(place: Place | null, { output, port, variables }: Omit<Outcome, 'port'> & { port: string | null }): void {
    if (place === null) return;
    const { node } = place;
    const flow = variablesOut(this, place, variables);
    this.settle(place, 'COMPLETED', { output, port: port ?? node.port, variables: flow });
    keepUndo(this, place);
  }

  /** Replaces what `complete` assumed: a container's variables are those of its body. */
  completeContainer(place: Place, outcome: { output: Json; port: string | null }, variables: Variables | null): void {
    const flow = this.compiled.definition.variables === undefined ? null : (variables ?? variablesBefore(this, place));
    const port = outcome.port ?? place.node.port;
    this.settle(place, 'COMPLETED', { output: outcome.output, port, variables: flow });
    keepUndo(this, place);
  }

  fail(place: Place | null, error: RunError): void {
    if (place) failNode(this, place, error);
  }

  /** Lets the failure of a node that was parked take its course. */
  spreadFailure(place: Place): void {
    this.#settled.push(place);
  }

  cancel(place: Place | null): void {
    if (place) this.settle(place, 'CANCELLED', {});
  }

  /** Passed over on somebody's word: what follows goes on as if it had given `output`. */
  skip(place: Place, output: Json): void {
    this.settle(place, 'SKIPPED', {
      output,
      port: place.node.port,
      error: null,
      variables: variablesOut(this, place),
    });
  }

  /** The run is to end: nothing new begins, what waits is given up, what is under way is waited for. */
  doom(error: RunError | null): void {
    if (error) this.patchState({ doomed: error });
    const giveUp = [...this.executions()].filter(
      ({ current }) => current.status === 'WAITING' || (current.status === 'PENDING' && current.due),
    );
    for (const { place } of giveUp) this.cancel(place);
    for (const parked of this.state.parked) this.spreadFailure(this.placeOfWork(parked));
    this.patchState({ parked: [], paused: null });
    this.resume();
  }

  /** Works off what has become computable, and closes the books. */
  finish(): RunState {
    this.drain();
    const { state } = this;
    const backlog = [...state.backlog, ...this.#work];
    return {
      ...state,
      status: this.#status(backlog.length > 0),
      now: this.at,
      nodes: this.#roots,
      open: this.#rootOpen,
      scopes: this.#scopes,
      agenda: this.#agenda,
      backlog,
      undos: this.#undos,
      busy: this.#busy,
      waiting: this.#waiting,
      dropped: this.#dropped,
    };
  }

  drain(): void {
    for (;;) {
      const settled = this.#settled.shift();
      if (settled) this.#spread(settled);
      else if (!this.#workOff()) return;
    }
  }

  #workOff(): boolean {
    const held = this.state.paused !== null && !this.closing;
    if (held || this.#steps >= LIMITS.stepsPerEvent) {
      this.patchState({ backlog: [...this.state.backlog, ...this.#work] });
      this.#work = [];
      return false;
    }
    const next = this.#work.shift();
    if (next === undefined) return false;
    this.#steps += 1;
    const place = this.placeOfWork(next);
    const current = this.peek(place);
    if (current === undefined || isSettled(current.status)) return true;
    if (next.kind === 'step') stepContainer(this, place);
    else startNode(this, place);
    return true;
  }

  #status(more: boolean): RunState['status'] {
    const { state } = this;
    if (state.status === 'PENDING') return 'PENDING';
    if (state.paused !== null && !this.closing) return 'PAUSED';
    if (this.#undos.some((undo) => undo.status === 'RUNNING')) return 'COMPENSATING';
    return this.#waiting > 0 && this.#busy === 0 && !more ? 'WAITING' : 'RUNNING';
  }

  #spread(place: Place): void {
    // What follows from the map is the business of the run that started this slice of it.
    if (place.scope === ROOT && this.state.slice !== null) return this.#countSettled(place.scope);
    const source = this.get(place);
    const broken = (source.status === 'FAILED' && !source.handled) || source.status === 'CANCELLED';
    for (const edge of place.node.successors) {
      const target = this.place(this.compiled.nodes[edge.to] as CompiledNode, place.iteration);
      const current = this.get(target);
      const unsettled = current.unsettled - 1;
      const live = current.live + Number(source.port === edge.port);
      this.set(target, { unsettled, live, broken: current.broken + Number(broken) });
      if (unsettled > 0) continue;
      if (current.broken > 0 || broken) this.settle(target, 'CANCELLED', {});
      else if (live > 0) this.ready(target);
      else this.settle(target, 'SKIPPED', {});
    }
    this.#countSettled(place.scope);
  }

  #countSettled(scope: string): void {
    if (scope === ROOT) {
      this.#rootOpen -= 1;
      return;
    }
    const open = this.#draftOf(scope).open - 1;
    this.#scopes[scope] = { ...(this.#scopes[scope] as ScopeState), open };
    if (open === 0) bodyFinished(this, scope);
  }

  /** Completes a node by a computation that may fail. */
  decide(place: Place, outcome: () => Outcome): void {
    try {
      this.complete(place, outcome());
    } catch (error) {
      this.fail(place, toRunError(error, place.node.id));
    }
  }

  settle(place: Place, status: Settled, fields: Partial<NodeState>): void {
    const began = status === 'COMPLETED' || status === 'FAILED' ? this.at : null;
    this.set(place, {
      ...fields,
      status,
      startedAt: this.get(place).startedAt ?? began,
      closedAt: this.at,
      due: false,
    });
    this.#settled.push(place);
  }
}

/** Whether something outside the engine is at work for it, or about to be. */
export function isBusy(node: CompiledNode, state: NodeState): boolean {
  switch (node.row.class) {
    case 'activity':
    case 'child':
      return state.status === 'RUNNING' || state.due;
    case 'container':
      return state.status === 'RUNNING' && state.container?.kind === 'map' && state.container.chunkSize !== null;
    default:
      return false;
  }
}
