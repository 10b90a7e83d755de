import type { Change } from './change.ts';
import { contextAt } from './context.ts';
import { variablesOut } from './flow.ts';
import { type Place, ROOT } from './place.ts';
import { evaluateMapping } from './resolve-config.ts';
import { toRunError } from './run-error.ts';
import type { RunError } from './run-event.ts';
import type { Work } from './run-state.ts';

/** A failure for good: the node's own policy first, then that of the run. */
export function failNode(change: Change, place: Place, cause: RunError): void {
  const { node } = place;
  const error = { ...cause, nodeId: cause.nodeId ?? node.id };
  if (change.closing) return change.settle(place, 'FAILED', { error });
  const { onError } = node.definition;
  if (onError === 'continue') return goOnInstead(change, place, error);
  if (onError === 'route') {
    const variables = variablesOut(change, place);
    return change.settle(place, 'FAILED', { error, handled: true, output: { error }, port: 'error', variables });
  }
  const policy = change.compiled.definition.policies?.onNodeFailure;
  if (policy === 'pause' || change.state.paused !== null) return park(change, place, error);
  change.settle(place, 'FAILED', { error });
  if (policy === 'cancel' && place.scope === ROOT) change.doom(error);
}

function goOnInstead(change: Change, place: Place, error: RunError): void {
  const { fallback } = place.node.definition;
  try {
    const output = fallback === undefined ? null : evaluateMapping(fallback, contextAt(change, place));
    const variables = variablesOut(change, place);
    change.settle(place, 'FAILED', { error, handled: true, output, port: place.node.port, variables });
  } catch (failure) {
    change.settle(place, 'FAILED', { error: toRunError(failure, place.node.id) });
  }
}

/** The run is held, so that somebody can retry or skip the node. */
function park(change: Change, place: Place, error: RunError): void {
  const startedAt = change.get(place).startedAt ?? change.at;
  change.set(place, { status: 'FAILED', error, due: false, closedAt: change.at, startedAt });
  const parked: Work = { kind: 'ready', node: place.node.index, iteration: place.iteration };
  const reason = `Node ${place.node.id} failed: ${error.message}`;
  change.patchState({
    parked: [...change.state.parked, parked],
    paused: change.state.paused ?? { reason, by: null },
  });
}

/** Takes a parked failure back, to be retried, skipped or spread. */
export function unpark(change: Change, place: Place): boolean {
  const { parked } = change.state;
  const left = parked.filter((one) => one.node !== place.node.index || one.iteration !== place.iteration);
  change.patchState({ parked: left });
  return left.length < parked.length;
}
