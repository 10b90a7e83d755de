import type { Json } from '../json.ts';
import type { Change } from './change.ts';
import { unpark } from './fail-node.ts';
import type { CompiledDefinition } from './compile.ts';
import type { Place } from './place.ts';
import type { OpenNodeRef } from './run-event.ts';
import type { NodeState, RunState, ScopeState } from './run-state.ts';
import { isSettled } from './run-status.ts';
import { overrideVariable, type Variables } from './variables.ts';

/** A failed node that holds the run gets its turn again, with fresh attempts and the same idempotency key. */
export function requestRetry(change: Change, place: Place | null): void {
  if (place === null || !unpark(change, place)) return;
  change.set(place, { status: 'PENDING', error: null, attempts: 0, startedAt: null, closedAt: null, container: null });
  change.ready(place);
  goOn(change);
}

/** Nothing is left that holds the run: it goes on by itself. */
function goOn(change: Change): void {
  if (change.state.parked.length > 0) return;
  change.patchState({ paused: null });
  change.resume();
}

/** Passes over a node, whatever it is doing; one whose turn has not come is passed over then. */
export function requestSkip(change: Change, event: OpenNodeRef & { output: Json }): void {
  const { output } = event;
  const parked = change.find(event, 'FAILED');
  if (parked) {
    if (!unpark(change, parked)) return;
    change.skip(parked, output);
    return goOn(change);
  }
  const place = change.find(event, 'WAITING') ?? change.find(event, 'RUNNING') ?? change.find(event, 'PENDING');
  if (place === null || change.get(place).container !== null) return;
  const current = change.get(place);
  if (current.status === 'PENDING' && !current.due && !isHeld(change, place)) change.set(place, { skip: { output } });
  else change.skip(place, output);
}

const isHeld = (change: Change, place: Place): boolean =>
  change.state.backlog.some((one) => one.node === place.node.index && one.iteration === place.iteration);

export function resumeRun(change: Change): void {
  const { parked } = change.state;
  change.patchState({ paused: null, parked: [] });
  for (const one of parked) change.spreadFailure(change.placeOfWork(one));
  change.resume();
}

/** Wherever the variable has got to: in what flowed out of nodes, in bodies under way, at the start. */
export function setVariable(change: Change, name: string, value: Json): void {
  const override = (flow: Variables) => overrideVariable(flow, name, value);
  for (const { place, current } of [...change.executions()]) {
    if (current.variables) change.set(place, { variables: override(current.variables) });
  }
  for (const scope of change.scopes()) change.setScopeVariables(scope.key, override(scope.variables));
  change.patchState({ variables: override(change.state.variables) });
}

/** What a later link of a run begins with: its timers run in the link before, and it hears of no child that one has started. */
export function afterContinuation(compiled: CompiledDefinition, state: RunState): RunState {
  const agenda = [...state.agenda];
  const detach = (node: NodeState): NodeState => {
    if (isSettled(node.status) || node.due) return node;
    const child = node.status === 'RUNNING' && node.attached;
    if (!child && !(node.status === 'WAITING' && node.deadline !== null)) return node;
    agenda.push({ kind: 'ready', node: compiled.indexOf.get(node.id) as number, iteration: node.iteration });
    return { ...node, attached: false, due: true };
  };
  return {
    ...state,
    nodes: state.nodes.map(detach),
    scopes: Object.fromEntries(
      Object.entries(state.scopes).map(([key, scope]): [string, ScopeState] => [
        key,
        { ...scope, nodes: scope.nodes.map(detach) },
      ]),
    ),
    agenda,
    yielding: false,
    dropped: [],
  };
}
