import { AppError } from '../../errors.ts';
import { Change } from '../change.ts';
import type { CompiledDefinition } from '../compile.ts';
import { setVariable } from '../operate.ts';
import { FIRST_ITERATION } from '../activity-id.ts';
import type { NodeState, RunState, ScopeState } from '../run-state.ts';
import { isClosed, isSettled } from '../run-status.ts';
import { migratedState } from '../versions/check-migration.ts';
import type { NodeMapping } from '../versions/node-mapping.ts';
import { checkedVariables, givenResult, knownInside, type Patches } from './build-seed.ts';
import { type EarlierRun, endedBadly } from './earlier-run.ts';
import { BEGINS_AGAIN } from './fork-state.ts';
import type { SeedResult } from './seed.ts';

export type ForkRequest = {
  to: CompiledDefinition;
  version: number;
  mapping: NodeMapping;
  patches: Patches;
  /** Ms since the epoch of the event at which the fork begins. */
  at: number;
};

/**
 * The state with which a fork goes on: that of the run at the event, with what is to be different.
 * @throws RERUN_REFUSED, MIGRATION_REFUSED, INPUT_INVALID
 */
export function prepareFork(earlier: EarlierRun, { to, version, mapping, patches, at }: ForkRequest): RunState {
  const { id, compiled, state } = earlier;
  const obstacle = obstacleOf(state);
  if (obstacle !== null) throw new AppError('RERUN_REFUSED', { runId: id, detail: obstacle });
  const chunked = state.nodes.filter(isChunked).map((node) => node.id as string);
  const marked = markedStates(state, id);
  const moved = to === compiled ? marked : migratedState(compiled, to, withoutWork(marked), { version, mapping });
  const change = new Change(to, moved, moved.now);
  for (const [name, value] of Object.entries(checkedVariables(to, patches.variables ?? {}))) {
    setVariable(change, name, value);
  }
  const fixed: { [nodeId: string]: SeedResult } = {};
  for (const [nodeId, given] of Object.entries(patches.nodes ?? {})) {
    const result = givenResult(to, nodeId, given);
    const node = to.nodes[to.indexOf.get(nodeId) ?? -1];
    const place = node && change.place(node, FIRST_ITERATION);
    const current = place && change.get(place);
    if (!place || !current || !isSettled(current.status)) fixed[nodeId] = result;
    else if (current.port === (given.port ?? current.port) && current.port !== null)
      change.set(place, { output: given.output });
    else throw refusedPatch(nodeId, current);
  }
  const known = knownInside(earlier, to, chunked, at);
  return {
    ...change.finish(),
    ...(patches.input === undefined ? {} : { input: patches.input }),
    seed: { fixed, known, inPlace: true, undos: state.undos.length > 0 && endedBadly(earlier) },
    undos: endedBadly(earlier) ? moved.undos : [],
    dropped: [],
  };
}

function obstacleOf(state: RunState): string | null {
  if (state.status === 'PENDING') return 'it had not begun there; start it again instead';
  if (isClosed(state.status)) return 'it was closed there; take an earlier event';
  if (state.cancelRequested || state.doomed !== null) return 'it was about to end there; take an earlier event';
  if (state.undos.some(({ status }) => status !== 'PENDING')) return 'what it had done was being undone there';
  if (state.slice !== null) return 'it does some items of a map; take the run that started it';
  return null;
}

const isChunked = ({ container, status }: NodeState): boolean =>
  status === 'RUNNING' && container?.kind === 'map' && container.chunkSize !== null;

function refusedPatch(nodeId: string, { status, port }: NodeState): AppError {
  const message = `${nodeId} is ${status} there and was left by ${port ?? 'no port'}, which what follows has seen; rerun from it instead`;
  return new AppError('INPUT_INVALID', { detail: message, paths: [{ path: `/patches/nodes/${nodeId}`, message }] });
}

/** What is settled was done by the run itself, or by one before it. */
function markedStates(state: RunState, runId: string): RunState {
  const mark = (node: NodeState): NodeState =>
    node.status === 'COMPLETED' ? { ...node, reused: node.reused ?? runId } : node;
  return everyNode(state, mark);
}

/** In another version what was under way may have no place, and does not need one: it begins again. */
function withoutWork(state: RunState): RunState {
  return everyNode(state, (node) =>
    node.container === null && (node.status === 'RUNNING' || node.status === 'WAITING' || node.due)
      ? { ...node, ...BEGINS_AGAIN }
      : node,
  );
}

function everyNode(state: RunState, change: (node: NodeState) => NodeState): RunState {
  const scopes = Object.entries(state.scopes).map(([key, scope]): [string, ScopeState] => [
    key,
    { ...scope, nodes: scope.nodes.map(change) },
  ]);
  return { ...state, nodes: state.nodes.map(change), scopes: Object.fromEntries(scopes) };
}
