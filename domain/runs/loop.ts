import { AppError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { Change } from './change.ts';
import { insideOf, isTrue } from './container.ts';
import type { Place } from './place.ts';
import { toRunError } from './run-error.ts';

type LoopState = { readonly kind: 'loop'; readonly index: number; readonly state: Json };

/** Begins the next pass, unless `while` says no or the bound is reached. */
export function stepLoop(change: Change, place: Place, { index, state }: LoopState): void {
  if (change.closing) return change.cancel(place);
  const { config } = place.node;
  const pass = { index, state };
  const variables = change.get(place).variables ?? change.variablesBefore(place);
  const condition = config['while'];
  try {
    if (condition !== undefined && !isTrue(condition as string, change.context(place, { pass }))) {
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
