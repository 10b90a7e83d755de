import type { Change } from './change.ts';
import { openContainer } from './container.ts';
import { contextAt } from './context.ts';
import { evaluateExpression } from './expression.ts';
import { liveInto } from './flow.ts';
import type { Place } from './place.ts';
import { rehearse } from './rerun/rehearse.ts';
import { takeFixed, takeKnown } from './rerun/take-seeded.ts';
import { resolveConfig } from './resolve-config.ts';
import { toRunError } from './run-error.ts';
import { runInlineNode } from './run-inline-node.ts';
import { openWait } from './wait-node.ts';

/** A node whose predecessors are settled gets its turn. */
export function startNode(change: Change, place: Place): void {
  const { node } = place;
  if (change.closing) return change.settle(place, 'CANCELLED', {});
  const { skip } = change.get(place);
  if (skip) return change.skip(place, skip.output);
  try {
    const { seed } = change.state;
    if (seed && takeFixed(change, place, seed)) return;
    const context = contextAt(change, place);
    const input = resolveConfig(node, context);
    if (seed?.rehearsal ? rehearse(change, place, seed, input) : seed && takeKnown(change, place, seed, input)) return;
    switch (node.row.class) {
      case 'activity':
      case 'child':
        // Fused, it would run neighbours again whose results are known.
        return change.set(place, { due: true, input, ...(seed ? { solo: true } : {}) });
      case 'wait':
        return openWait(change, place, input);
      case 'container':
        return openContainer(change, place, input);
      case 'inline': {
        const evaluate = (expression: string) => evaluateExpression(expression, context);
        return change.complete(
          place,
          runInlineNode(node, input, () => liveInto(change, place), evaluate),
        );
      }
      case 'none':
    }
  } catch (error) {
    change.fail(place, toRunError(error, node.id));
  }
}
