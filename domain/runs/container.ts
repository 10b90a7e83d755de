import type { Json, JsonObject } from '../json.ts';
import { bodyError, bodyResult, insideOf } from './body.ts';
import type { Change } from './change.ts';
import { variablesAfter, variablesBefore } from './flow.ts';
import type { Variables } from './variables.ts';
import { finishPass, stepLoop } from './loop.ts';
import { finishItem, openMap, stepMap } from './map.ts';
import { outerIteration, type Place } from './place.ts';
import { toRunError } from './run-error.ts';
import type { RunError } from './run-event.ts';

export function openContainer(change: Change, place: Place, input: JsonObject): void {
  switch (place.node.type) {
    case 'map':
      return openMap(change, place, input);
    case 'loop':
      change.set(place, {
        status: 'RUNNING',
        input,
        startedAt: change.at,
        container: { kind: 'loop', index: 0, state: input['state'] ?? null },
      });
      return change.step(place);
    default:
      change.set(place, { status: 'RUNNING', input, startedAt: change.at, container: { kind: 'try' } });
      change.openScope(place, 0, insideOf(place, 0), {}, variablesBefore(change, place));
  }
}

/** Goes on with a container whose next pass or items may begin. */
export function stepContainer(change: Change, place: Place): void {
  const { container, status } = change.get(place);
  if (container === null || status !== 'RUNNING') return;
  if (container.kind === 'map') stepMap(change, place, container);
  else if (container.kind === 'loop') stepLoop(change, place, container);
}

/** A body has ended: every node in it is settled. */
export function bodyFinished(change: Change, key: string): void {
  const scope = change.scope(key);
  if (scope === undefined) return;
  const node = change.compiled.nodes[scope.container];
  if (node === undefined) return;
  const place = change.place(node, outerIteration(scope.iteration, node.depth));
  const error = bodyError(change.nodesOf(key));
  const { container } = change.get(place);
  const variables = variablesAfter(change, key);
  switch (container?.kind) {
    case 'map':
      finishItem(change, place, container, key, error);
      return;
    case 'loop':
      return finishPass(change, place, container, key, error);
    default:
      return finishTry(change, place, key, error, variables);
  }
}

function finishTry(change: Change, place: Place, key: string, error: RunError | null, variables: Variables): void {
  if (change.closing) {
    change.closeScope(key);
    return change.cancel(place);
  }
  let outcome: { output: Json; port: string | null };
  try {
    outcome = error ? caught(error) : { output: bodyResult(change, place, key), port: null };
  } catch (failure) {
    outcome = caught(toRunError(failure, place.node.id));
  }
  change.closeScope(key);
  change.completeContainer(place, outcome, variables);
}

const caught = (error: RunError): { output: Json; port: string } => ({ output: { error }, port: 'error' });
