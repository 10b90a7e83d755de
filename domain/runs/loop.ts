import { AppError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { Change } from './change.ts';
import { variablesAfter, variablesBefore } from './flow.ts';
import { contextAt, contextInside } from './context.ts';
import { insideOf, isTrue } from './body.ts';
import type { Mapping } from './definition.ts';
import type { Place } from './place.ts';
import { evaluateMapping } from './resolve-config.ts';
import { toRunError } from './run-error.ts';
import type { RunError } from './run-event.ts';

type LoopState = { readonly kind: 'loop'; readonly index: number; readonly state: Json };

/** Begins the next pass, unless `while` says no or the bound is reached. */
export function stepLoop(change: Change, place: Place, { index, state }: LoopState): void {
  if (change.closing) return change.cancel(place);
  const { config } = place.node;
  const pass = { index, state };
  const variables = change.get(place).variables ?? variablesBefore(change, place);
  const condition = config['while'];
  try {
    if (condition !== undefined && !isTrue(String(condition), contextAt(change, place, { pass }))) {
      return change.completeContainer(place, { output: { iterations: index, state }, port: null }, variables);
    }
    if (index >= Number(config['maximumIterations'])) {
      if (config['onBound'] !== 'route') throw new AppError('LOOP_BOUND_REACHED', { bound: index });
      return change.completeContainer(place, { output: { iterations: index, state }, port: 'bound' }, variables);
    }
    change.openScope(place, index, insideOf(place, index), { pass }, variables);
  } catch (error) {
    change.fail(place, toRunError(error, place.node.id));
  }
}

/** A pass has ended: its state goes on to the next, unless `until` says that it was the last. */
export function finishPass(
  change: Change,
  place: Place,
  container: { kind: 'loop'; index: number; state: Json },
  key: string,
  error: RunError | null,
): void {
  const variables = variablesAfter(change, key);
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
      next === undefined ? container.state : evaluateMapping(next as Mapping, contextInside(change, key, { pass }));
    const passed = { index: container.index + 1, state };
    const done = until !== undefined && isTrue(String(until), contextInside(change, key, { pass: passed }));
    end(() => {
      change.set(place, { container: { kind: 'loop', ...passed }, variables });
      if (!done) return change.step(place);
      change.completeContainer(place, { output: { iterations: passed.index, state }, port: null }, variables);
    });
  } catch (failure) {
    end(() => change.fail(place, toRunError(failure, place.node.id)));
  }
}
