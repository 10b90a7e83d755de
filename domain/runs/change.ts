import type { Json } from '../json.ts';
import { type Iteration, undoId } from './activity-id.ts';
import type { Body, CompiledDefinition, CompiledNode } from './compile.ts';
import { bodyFinished, openContainer, stepContainer } from './container.ts';
import { evaluateExpression, type ExpressionContext } from './expression.ts';
import { LIMITS } from './limits.ts';
import { isNodeType, nodeTypeRow } from './node-types.ts';
import { nodeView, outerIteration, type Place, placeOf, positionOf, ROOT } from './place.ts';
import { evaluateMapping, resolveConfig } from './resolve-config.ts';
import { toRunError } from './run-error.ts';
import type { RunError } from './run-event.ts';
import { type Outcome, runInlineNode } from './run-inline-node.ts';
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
import { joinVariables, type Variables, writeVariables } from './variables.ts';
import { openWait } from './wait-node.ts';

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
      bindings: { ...this.bindingsAt(container), ...own },
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

  /** What expressions may read at a place; `more` adds bindings, as those of a loop's next pass. */
  context(place: Place, more: Bindings = {}): ExpressionContext {
    return {
      input: this.state.input,
      run: { workflow: this.compiled.definition.name, webhooks: this.state.webhooks },
      vars: this.#varsOf(place),
      bindings: { ...this.bindingsAt(place), ...more },
      node: (id) => this.#view(id, place),
    };
  }

  /** What expressions may read that are evaluated when a body has ended. */
  contextInside(key: string, more: Bindings = {}): ExpressionContext {
    const scope = this.#scopes[key] as ScopeState;
    const [first] = this.body(key);
    const place = this.place(first as CompiledNode, scope.iteration);
    return { ...this.context(place, more), vars: valuesOf(this.variablesAfter(key)) };
  }

  bindingsAt({ scope }: Place): Bindings {
    return scope === ROOT ? (this.state.slice?.bindings ?? {}) : (this.#scopes[scope]?.bindings ?? {});
  }

  #view(id: string, from: Place): Json {
    const { slice } = this.state;
    if (slice && Object.hasOwn(slice.nodes, id)) return slice.nodes[id] as Json;
    const node = this.compiled.nodes[this.compiled.indexOf.get(id) ?? -1];
    return node === undefined
      ? null
      : nodeView(this.peek(this.place(node, outerIteration(from.iteration, node.depth))));
  }

  #varsOf(place: Place): Json {
    return this.compiled.definition.variables === undefined ? {} : valuesOf(this.variablesBefore(place));
  }

  /** The variables as they flow into a node. */
  variablesBefore(place: Place): Variables {
    const { node, scope } = place;
    const live = this.liveInto(place).map((source) => source.variables ?? {});
    if (node.predecessors.length > 0 && live.length > 0) return joinVariables(live);
    return scope === ROOT ? this.state.variables : (this.#scopes[scope] as ScopeState).variables;
  }

  /** As they flow out of a body: joined over all its nodes. */
  variablesAfter(key: string): Variables {
    const flows = this.nodesOf(key).flatMap((node) => (node.variables ? [node.variables] : []));
    return joinVariables([(this.#scopes[key] as ScopeState).variables, ...flows]);
  }

  liveInto({ node, scope }: Place): NodeState[] {
    const states = this.nodesOf(scope);
    return this.body(scope).flatMap((source) => {
      const state = states[source.position] as NodeState;
      return node.predecessors.some((edge) => edge.from === source.index && state.port === edge.port) ? [state] : [];
    });
  }

  complete(place: Place | null, { output, port, variables }: Omit<Outcome, 'port'> & { port: string | null }): void {
    if (place === null) return;
    const { node } = place;
    const flow = this.#flowOut(place, variables);
    this.#settle(place, 'COMPLETED', { output, port: port ?? node.port, variables: flow });
    this.#keepUndo(place);
  }

  #flowOut(place: Place, written: Outcome['variables']): Variables | null {
    if (this.compiled.definition.variables === undefined) return null;
    const before = this.variablesBefore(place);
    return written === undefined ? before : writeVariables(before, written, place.node.index);
  }

  /** Replaces what `complete` assumed: a container's variables are those of its body. */
  completeContainer(place: Place, outcome: { output: Json; port: string | null }, variables: Variables | null): void {
    const flow = this.compiled.definition.variables === undefined ? null : (variables ?? this.variablesBefore(place));
    const port = outcome.port ?? place.node.port;
    this.#settle(place, 'COMPLETED', { output: outcome.output, port, variables: flow });
    this.#keepUndo(place);
  }

  /** The undo stands by with its config resolved, so that it needs nothing of a body that may be gone by then. */
  #keepUndo(place: Place): void {
    const { undo } = place.node.definition;
    if (undo === undefined || !isNodeType(undo.type)) return;
    const entry: UndoState = {
      id: undoId(place.node.id),
      type: undo.type,
      status: 'PENDING',
      iteration: place.iteration,
      attempts: 0,
      input: null,
      output: null,
      error: null,
      startedAt: null,
      closedAt: null,
      options: optionsOf(undo),
    };
    try {
      const resolved = { row: nodeTypeRow(undo.type), config: undo.config ?? {} };
      this.#undos = [...this.#undos, { ...entry, input: resolveConfig(resolved, this.context(place)) }];
    } catch (error) {
      // Said when its turn comes: the node itself has done its work.
      this.#undos = [...this.#undos, { ...entry, status: 'FAILED', error: toRunError(error, entry.id) }];
    }
  }

  /** A failure for good, dealt with by the node's own policy first. */
  fail(place: Place | null, cause: RunError): void {
    if (place === null) return;
    const { node } = place;
    const error = { ...cause, nodeId: cause.nodeId ?? node.id };
    const flow = this.#flowOut(place, undefined);
    if (this.closing) return this.#settle(place, 'FAILED', { error });
    switch (node.definition.onError) {
      case 'continue':
        return this.#continueAfter(place, error, flow);
      case 'route':
        return this.#settle(place, 'FAILED', {
          error,
          handled: true,
          output: { error },
          port: 'error',
          variables: flow,
        });
      default:
    }
    const policy = this.compiled.definition.policies?.onNodeFailure;
    if (policy === 'pause' || this.state.paused !== null) return this.#park(place, error);
    this.#settle(place, 'FAILED', { error });
    if (policy === 'cancel' && place.scope === ROOT) this.doom(error);
  }

  #continueAfter(place: Place, error: RunError, variables: Variables | null): void {
    const { fallback } = place.node.definition;
    try {
      const output = fallback === undefined ? null : evaluateMapping(fallback, this.context(place));
      this.#settle(place, 'FAILED', { error, handled: true, output, port: place.node.port, variables });
    } catch (failure) {
      this.#settle(place, 'FAILED', { error: toRunError(failure, place.node.id) });
    }
  }

  #park(place: Place, error: RunError): void {
    this.set(place, {
      status: 'FAILED',
      error,
      due: false,
      closedAt: this.at,
      startedAt: this.get(place).startedAt ?? this.at,
    });
    const parked: Work = { kind: 'ready', node: place.node.index, iteration: place.iteration };
    const reason = `Node ${place.node.id} failed: ${error.message}`;
    this.patchState({
      parked: [...this.state.parked, parked],
      paused: this.state.paused ?? { reason, by: null },
    });
  }

  /** Takes a parked failure back, to be retried, skipped or spread. */
  unpark(place: Place): boolean {
    const left = this.state.parked.filter((one) => one.node !== place.node.index || one.iteration !== place.iteration);
    if (left.length === this.state.parked.length) return false;
    this.patchState({ parked: left });
    return true;
  }

  /** Lets the failure of a node that was parked take its course. */
  spreadFailure(place: Place): void {
    this.#settled.push(place);
  }

  cancel(place: Place | null): void {
    if (place) this.#settle(place, 'CANCELLED', {});
  }

  /** Passed over on somebody's word: what follows goes on as if it had given `output`. */
  skip(place: Place, output: Json): void {
    this.#settle(place, 'SKIPPED', {
      output,
      port: place.node.port,
      error: null,
      variables: this.#flowOut(place, undefined),
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
    else this.#start(place);
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
    const source = this.get(place);
    const broken = (source.status === 'FAILED' && !source.handled) || source.status === 'CANCELLED';
    for (const edge of place.node.successors) {
      const target = this.place(this.compiled.nodes[edge.to] as CompiledNode, place.iteration);
      const current = this.get(target);
      const unsettled = current.unsettled - 1;
      const live = current.live + Number(source.port === edge.port);
      this.set(target, { unsettled, live, broken: current.broken + Number(broken) });
      if (unsettled > 0) continue;
      if (current.broken > 0 || broken) this.#settle(target, 'CANCELLED', {});
      else if (live > 0) this.ready(target);
      else this.#settle(target, 'SKIPPED', {});
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

  #start(place: Place): void {
    const { node } = place;
    if (this.closing) return this.#settle(place, 'CANCELLED', {});
    const { skip } = this.get(place);
    if (skip) return this.skip(place, skip.output);
    try {
      const context = this.context(place);
      const input = resolveConfig(node, context);
      switch (node.row.class) {
        case 'activity':
        case 'child':
          return this.set(place, { due: true, input });
        case 'wait':
          return openWait(this, place, input);
        case 'container':
          return openContainer(this, place, input);
        case 'inline':
          return this.complete(
            place,
            runInlineNode(
              node,
              input,
              () => this.liveInto(place),
              (expression) => evaluateExpression(expression, context),
            ),
          );
        case 'none':
      }
    } catch (error) {
      this.fail(place, toRunError(error, node.id));
    }
  }

  /** Completes a node by a computation that may fail. */
  decide(place: Place, outcome: () => Outcome): void {
    try {
      this.complete(place, outcome());
    } catch (error) {
      this.fail(place, toRunError(error, place.node.id));
    }
  }

  #settle(place: Place, status: Settled, fields: Partial<NodeState>): void {
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
function isBusy(node: CompiledNode, state: NodeState): boolean {
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

const valuesOf = (variables: Variables): Json =>
  Object.fromEntries(Object.entries(variables).map(([name, { value }]) => [name, value]));

function optionsOf({ name, retry, timeouts, taskQueue }: UndoState['options']): UndoState['options'] {
  return {
    ...(name === undefined ? {} : { name }),
    ...(retry === undefined ? {} : { retry }),
    ...(timeouts === undefined ? {} : { timeouts }),
    ...(taskQueue === undefined ? {} : { taskQueue }),
  };
}
