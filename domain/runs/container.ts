import { AppError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { iterationInside } from './activity-id.ts';
import type { Change } from './change.ts';
import { stepLoop } from './loop.ts';
import { finishItem, openMap, stepMap } from './map.ts';
import { outerIteration, type Place } from './place.ts';
import { evaluateMapping } from './resolve-config.ts';
import { toRunError } from './run-error.ts';
import type { RunError } from './run-event.ts';
import type { NodeState } from './run-state.ts';
import type { Mapping } from './definition.ts';

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
      change.openScope(place, 0, insideOf(place, 0), {}, change.variablesBefore(place));
  }
}

export const insideOf = ({ node, iteration }: Place, index: number): string =>
  iterationInside({ iteration, atRoot: node.depth === 0 }, index);

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
  const variables = change.variablesAfter(key);
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

/** The first failure in definition order that nobody has dealt with. */
export function bodyError(nodes: readonly NodeState[]): RunError | null {
  const failed = nodes.find((node) => node.status === 'FAILED' && !node.handled);
  if (failed) return failed.error;
  const cancelled = nodes.find((node) => node.status === 'CANCELLED' && node.startedAt !== null);
  if (!cancelled) return null;
  return toRunError(new AppError('NODE_FAILED', { detail: `Node ${cancelled.id} was cancelled` }), cancelled.id);
}

/** What a body gives: its `result`, or what its last nodes give; several of them by id. */
export function bodyResult(change: Change, place: Place, key: string): Json {
  const mapping = place.node.config['result'];
  if (mapping !== undefined) return evaluateMapping(mapping as Mapping, change.contextInside(key));
  const states = change.nodesOf(key);
  const last = change.body(key).filter((node) => node.successors.length === 0);
  const given = last.map((node) => states[node.position] as NodeState).filter((state) => state.port !== null);
  if (last.length === 1) return given[0]?.output ?? null;
  return Object.fromEntries(given.map((state) => [state.id, state.output]));
}

function finishPass(
  change: Change,
  place: Place,
  container: { kind: 'loop'; index: number; state: Json },
  key: string,
  error: RunError | null,
): void {
  const variables = change.variablesAfter(key);
  const end = (then: () => void): void => {
    change.closeScope(key);
    then();
  };
  if (change.closing) return end(() => change.cancel(place));
  if (error) return end(() => change.fail(place, error));
  const { next, until } = place.node.config;
  const pass = { index: container.index, state: container.state };
  try {
    const state =
      next === undefined ? container.state : evaluateMapping(next as Mapping, change.contextInside(key, { pass }));
    const passed = { index: container.index + 1, state };
    const done = until !== undefined && isTrue(until as string, change.contextInside(key, { pass: passed }));
    end(() => {
      change.set(place, { container: { kind: 'loop', ...passed }, variables });
      if (!done) return change.step(place);
      change.completeContainer(place, { output: { iterations: passed.index, state }, port: null }, variables);
    });
  } catch (failure) {
    end(() => change.fail(place, toRunError(failure, place.node.id)));
  }
}

export function isTrue(expression: string, context: ReturnType<Change['context']>): boolean {
  const value = evaluateMapping(expression, context);
  if (typeof value === 'boolean') return value;
  throw new AppError('EXPRESSION_FAILED', {
    expression,
    detail: `gave ${JSON.stringify(value)}, not true or false`,
  });
}

function finishTry(
  change: Change,
  place: Place,
  key: string,
  error: RunError | null,
  variables: ReturnType<Change['variablesAfter']>,
): void {
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
