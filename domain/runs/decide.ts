import type { NodeId } from '../identifiers.ts';
import type { Json } from '../json.ts';
import { AppError } from '../errors.ts';
import type { Iteration } from './activity-id.ts';
import type { CompiledDefinition, CompiledNode } from './compile.ts';
import { bodyError } from './body.ts';
import type { ExpressionContext } from './expression.ts';
import { groupFrom } from './fuse.ts';
import { concurrencyOfChunk, stopsAtFailure } from './map.ts';
import { findNode, nodeView } from './place.ts';
import { evaluateMapping } from './resolve-config.ts';
import { toRunError } from './run-error.ts';
import type { RunError } from './run-event.ts';
import type { NodeState, RunState, UndoState } from './run-state.ts';
import { isClosed } from './run-status.ts';
import { nextUndo } from './undo.ts';
import { joinVariables, variableValues } from './variables.ts';

type Of = { nodeId: NodeId; iteration: Iteration };
export type Command =
  | ({ type: 'scheduleActivity' } & Of)
  /** Fused nodes, the first of them named; asked for again until its event has come. */
  | ({ type: 'runGroup'; members: readonly NodeId[] } & Of)
  /** The whole of a subworkflow (chunk null), or items `from` to `to` of a map. */
  | ({ type: 'startChild'; chunk: number | null; concurrency: number } & Of)
  /** A child run that an earlier link of this run has started. */
  | ({ type: 'watchChild' } & Of)
  | ({ type: 'startTimer'; durationMs: number } & Of)
  | { type: 'scheduleUndo'; undo: UndoState }
  | { type: 'yield' }
  | { type: 'completeRun'; output: Json }
  | { type: 'failRun'; error: RunError }
  | { type: 'cancelRun' };

/** What is due now, in definition order. Asking again without an event in between gives the same answer. */
export function decide(compiled: CompiledDefinition, state: RunState): Command[] {
  if (state.status === 'PENDING' || isClosed(state.status)) return [];
  const closing = state.cancelRequested || state.doomed !== null;
  if (state.paused !== null && !closing) return [];
  if (state.backlog.length > 0 && !state.yielding) return [{ type: 'yield' }, ...due(compiled, state)];
  if (state.open > 0) return due(compiled, state);
  return finish(compiled, state);
}

/** Everything is settled: what was done is undone first where the run ends badly. */
function finish(compiled: CompiledDefinition, state: RunState): Command[] {
  const error = state.doomed ?? bodyError(state.nodes);
  const outcome: Command = state.cancelRequested
    ? { type: 'cancelRun' }
    : error
      ? { type: 'failRun', error }
      : complete(compiled, state);
  if (outcome.type === 'completeRun') return [outcome];
  if (state.undos.some((undo) => undo.status === 'RUNNING')) return [];
  const undo = nextUndo(state.undos);
  return undo ? [{ type: 'scheduleUndo', undo }] : [outcome];
}

function due(compiled: CompiledDefinition, state: RunState): Command[] {
  const entries = state.agenda.toSorted((left, right) => left.node - right.node);
  return entries.flatMap(({ node: index, iteration }) => {
    const node = compiled.nodes[index] as CompiledNode;
    const current = findNode(compiled, state, node.id, iteration);
    return current?.due ? commandsOf(compiled, state, node, current) : [];
  });
}

function commandsOf(compiled: CompiledDefinition, state: RunState, node: CompiledNode, current: NodeState): Command[] {
  const of: Of = { nodeId: node.id, iteration: current.iteration };
  switch (node.row.class) {
    case 'activity': {
      if (current.status === 'WAITING') return [timer(of, state, current)];
      const members = current.solo ? [] : groupFrom(compiled, node);
      return [
        members.length > 1
          ? { type: 'runGroup', ...of, members: members.map((member) => member.id) }
          : { type: 'scheduleActivity', ...of },
      ];
    }
    case 'child':
      return [current.status === 'RUNNING' ? { type: 'watchChild', ...of } : child(of, null, 0)];
    case 'container':
      return chunks(of, current);
    default:
      return [timer(of, state, current)];
  }
}

const timer = (of: Of, { now }: RunState, { deadline }: NodeState): Command => ({
  type: 'startTimer',
  ...of,
  durationMs: Math.max(0, (deadline ?? now) - now),
});

const child = (of: Of, chunk: number | null, concurrency: number): Command => ({
  type: 'startChild',
  ...of,
  chunk,
  concurrency,
});

function chunks(of: Of, { container, input }: NodeState): Command[] {
  if (container?.kind !== 'map' || stopsAtFailure(input, container)) return [];
  const { next, count, active, concurrency } = container;
  const room = Math.max(0, Math.min(count - next, concurrency - active));
  return Array.from({ length: room }, (_, index) => child(of, next + index, concurrencyOfChunk(input, concurrency)));
}

function complete(compiled: CompiledDefinition, state: RunState): Command {
  const mapping = compiled.definition.output;
  if (state.slice) return { type: 'completeRun', output: state.nodes[0]?.output ?? null };
  if (mapping === undefined) return { type: 'completeRun', output: null };
  try {
    return { type: 'completeRun', output: evaluateMapping(mapping, outputContext(compiled, state)) };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { type: 'failRun', error: toRunError(new AppError('OUTPUT_INVALID', { detail }, error), null) };
  }
}

function outputContext(compiled: CompiledDefinition, state: RunState): ExpressionContext {
  const flows = state.nodes.flatMap((node) => (node.variables ? [node.variables] : []));
  return {
    input: state.input,
    run: { workflow: compiled.definition.name, webhooks: state.webhooks },
    vars: variableValues(joinVariables([state.variables, ...flows])),
    bindings: {},
    node: (id) => nodeView(findNode(compiled, state, id, '1')),
  };
}
