import { AppError } from '../errors.ts';
import type { Json } from '../json.ts';
import { iterationInside } from './activity-id.ts';
import type { Change } from './change.ts';
import { contextInside } from './context.ts';
import type { Mapping } from './definition.ts';
import type { ExpressionContext } from './expression.ts';
import type { Place } from './place.ts';
import { evaluateMapping } from './resolve-config.ts';
import { toRunError } from './run-error.ts';
import type { RunError } from './run-event.ts';
import type { NodeState } from './run-state.ts';

/** The iteration of the nodes in pass `index` of a container's body. */
export const insideOf = ({ node, iteration }: Place, index: number): string =>
  iterationInside({ iteration, atRoot: node.depth === 0 }, index);

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
  if (mapping !== undefined) return evaluateMapping(mapping as Mapping, contextInside(change, key));
  const states = change.nodesOf(key);
  const last = change.body(key).filter((node) => node.successors.length === 0);
  const given = last.map((node) => states[node.position] as NodeState).filter((state) => state.port !== null);
  if (last.length === 1) return given[0]?.output ?? null;
  return Object.fromEntries(given.map((state) => [state.id, state.output]));
}

export function isTrue(expression: string, context: ExpressionContext): boolean {
  const value = evaluateMapping(expression, context);
  if (typeof value === 'boolean') return value;
  throw new AppError('EXPRESSION_FAILED', {
    expression,
    detail: `gave ${JSON.stringify(value)}, not true or false`,
  });
}
