import { nodeId } from '../../identifiers.ts';
import { type Iteration, undoId } from '../activity-id.ts';
import { Change, isBusy } from '../change.ts';
import type { CompiledDefinition, CompiledNode } from '../compile.ts';
import { bodyFinished } from '../container.ts';
import { scopeKey } from '../place.ts';
import {
  executionsOf,
  initialNode,
  initialState,
  type NodeState,
  type RunState,
  type ScopeState,
  type Work,
} from '../run-state.ts';
import { isClosed } from '../run-status.ts';
import { initialVariables, type Variables } from '../variables.ts';
import { findObstacles, hasResult, type MigrationProblem, migrationProblem } from './find-obstacles.ts';
import { correspond, type Correspondence, mappingFaults, type NodeMapping } from './node-mapping.ts';
import { recountBody } from './recount-body.ts';

type Move = {
  readonly from: CompiledDefinition;
  readonly to: CompiledDefinition;
  readonly state: RunState;
  readonly mapping: NodeMapping;
  readonly nodes: Correspondence;
};

/**
 * The state with which a run goes on in another version: what is settled keeps its results, what waits goes on waiting, what has
 * not begun is decided anew by the new graph. Activities must have ended, as between two links of a run. Or every reason why not.
 */
export function migrateState(
  from: CompiledDefinition,
  to: CompiledDefinition,
  state: RunState,
  mapping: NodeMapping = {},
): RunState | MigrationProblem[] {
  const problems = refusals(from, to, state, mapping);
  if (problems.length > 0) return problems;
  if (state.status === 'PENDING') return initialState(to);
  const move: Move = { from, to, state, mapping, nodes: correspond(from, to, mapping) };
  const obstacles = findObstacles(move);
  return obstacles.length > 0 ? obstacles : goOn(to, moved(move));
}

function refusals(
  from: CompiledDefinition,
  to: CompiledDefinition,
  state: RunState,
  mapping: NodeMapping,
): MigrationProblem[] {
  const run = (code: MigrationProblem['code'], message: string) => [migrationProblem(code, null, message)];
  if (isClosed(state.status)) return run('RUN_CLOSED', `The run is closed (${state.status})`);
  if (state.cancelRequested || state.doomed) return run('RUN_CLOSED', 'The run is about to end');
  if (state.slice) return run('RUN_IS_SLICE', 'The run does some items of a map: migrate the run that started it');
  const faults = mappingFaults(from, to, mapping);
  return faults.map((fault) => migrationProblem('MAPPING_INVALID', null, `In the mapping ${fault}`));
}

function moved(move: Move): RunState {
  const { to, state } = move;
  const parked = state.parked.flatMap((work) => movedWork(move, work));
  const rootBody = to.bodies.get(null) ?? [];
  const root = recountBody(rootBody, movedNodes(move, state.nodes, rootBody, '1'), parked, state.now);
  const scopes = Object.values(state.scopes).flatMap((scope) => movedScope(move, scope, parked));
  const next: RunState = {
    ...state,
    nodes: root.nodes,
    open: root.open,
    scopes: Object.fromEntries(scopes.map((scope) => [scope.key, scope])),
    agenda: [],
    backlog: state.backlog.flatMap((work) => (work.kind === 'step' ? movedWork(move, work) : [])),
    parked,
    paused: state.parked.length > 0 && parked.length === 0 ? null : state.paused,
    undos: state.undos.map((undo) => ({ ...undo, id: movedUndoId(move, undo.id) })),
    variables: movedVariables(move, state.variables),
    webhooks: Object.fromEntries(
      Object.entries(state.webhooks).map(([id, url]) => [move.nodes.targetOf(id)?.id ?? id, url]),
    ),
    dropped: [],
  };
  return { ...next, agenda: agendaOf(move, next), ...countersOf(to, next) };
}

/** Timers, child runs and items of maps that the next link begins again, in the order in which they were due. */
function agendaOf(move: Move, next: RunState): Work[] {
  const due = new Set(
    executionsOf(next).flatMap((node) => ('due' in node && node.due ? [`${node.id}#${node.iteration}`] : [])),
  );
  return move.state.agenda
    .flatMap((work) => movedWork(move, work))
    .filter(({ node, iteration }) => due.has(`${move.to.nodes[node]?.id}#${iteration}`));
}

function countersOf(to: CompiledDefinition, state: RunState): Pick<RunState, 'busy' | 'waiting'> {
  const nodes = executionsOf(state).filter((node): node is NodeState => 'due' in node);
  const busy = nodes.filter((node) => isBusy(to.nodes[to.indexOf.get(node.id) ?? -1] as CompiledNode, node));
  return { busy: busy.length, waiting: nodes.filter((node) => node.status === 'WAITING').length };
}

/** What the new graph makes ready at once, and bodies in which nothing is left to do. */
function goOn(to: CompiledDefinition, state: RunState): RunState {
  const change = new Change(to, state, state.now);
  const inAgenda = new Set(state.agenda.map((work) => `${work.node}#${work.iteration}`));
  for (const { place, current } of [...change.executions()]) {
    const ready = current.status === 'PENDING' && current.unsettled === 0;
    if (ready && !inAgenda.has(`${place.node.index}#${place.iteration}`)) change.ready(place);
  }
  for (const scope of change.scopes()) if (scope.open === 0) bodyFinished(change, scope.key);
  return { ...change.finish(), dropped: [] };
}

function movedScope(move: Move, scope: ScopeState, parked: readonly Work[]): ScopeState[] {
  const container = move.nodes.targetOf(move.from.nodes[scope.container]?.id ?? '');
  if (container === null) return [];
  const body = move.to.bodies.get(container.index) ?? [];
  const { nodes, open } = recountBody(
    body,
    movedNodes(move, scope.nodes, body, scope.iteration),
    parked,
    move.state.now,
  );
  const key = scopeKey(move.to, container.index, scope.iteration);
  return [{ ...scope, key, container: container.index, variables: movedVariables(move, scope.variables), nodes, open }];
}

function movedNodes(
  move: Move,
  old: readonly NodeState[],
  body: readonly CompiledNode[],
  iteration: Iteration,
): { state: NodeState; before: NodeState | null }[] {
  const byId = new Map(old.map((node) => [node.id as string, node]));
  return body.map((node) => {
    const source = move.nodes.sourceOf(node.id);
    const before = (source && byId.get(source.id)) ?? null;
    return { state: movedNode(move, node, before, iteration), before: before && { ...before, id: node.id } };
  });
}

/** What has neither a result nor anything under way begins anew. */
function movedNode(move: Move, node: CompiledNode, before: NodeState | null, iteration: Iteration): NodeState {
  const fresh = initialNode(node, iteration);
  if (before === null) return fresh;
  const kept = hasResult(before) || before.status === 'RUNNING' || before.status === 'WAITING';
  if (!kept || before.type !== node.type) return { ...fresh, skip: before.skip };
  const flows = move.to.definition.variables === undefined ? null : before.variables;
  const flown = flows ?? (move.to.definition.variables !== undefined && before.port !== null ? {} : null);
  return { ...before, id: node.id, variables: flown && movedVariables(move, flown) };
}

/** Those that the new version declares: as they were, or with their first values. */
function movedVariables({ from, to, nodes }: Move, flow: Variables): Variables {
  const writer = (index: number) => nodes.targetOf(from.nodes[index]?.id ?? '')?.index ?? -1;
  return Object.fromEntries(
    Object.entries(initialVariables(to.definition.variables)).map(([name, initial]) => {
      const entry = Object.hasOwn(flow, name) ? flow[name] : undefined;
      return [name, entry ? { ...entry, node: writer(entry.node) } : initial];
    }),
  );
}

function movedWork({ from, nodes }: Move, work: Work): Work[] {
  const target = nodes.targetOf(from.nodes[work.node]?.id ?? '');
  return target === null ? [] : [{ ...work, node: target.index }];
}

function movedUndoId({ nodes }: Move, id: string): NodeState['id'] {
  const target = nodes.targetOf(id.replace(/\.undo$/, ''));
  return target === null ? nodeId(id) : undoId(target.id);
}
