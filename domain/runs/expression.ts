import type { ParseResult } from '@marcbachmann/cel-js';
import { AppError } from '../errors.ts';
import type { Json } from '../json.ts';
import { boundedCache } from './bounded-cache.ts';
import { summaryOf } from './check-expression.ts';
import { nodeReference, visit } from './expression-ast.ts';
import { assertWithinBudget, bounded, openBudget } from './expression-budget.ts';
import { environment, meteredEnvironment } from './expression-environment.ts';
import { fromCel } from './expression-value.ts';
import { LIMITS } from './limits.ts';
import { METER_PREFIX, meterExpression } from './meter-expression.ts';
import { followPath } from './plain-path.ts';
import type { Bindings } from './run-state.ts';

export type ExpressionContext = {
  input: Json;
  run: Json;
  vars: Json;
  /** `item`, `index`, `pass`: those that exist here. */
  bindings: Bindings;
  /** What `nodes.<id>` is; asked only for nodes that the expression names. */
  node: (id: string) => Json;
};

type Parsed = { evaluate: ParseResult; nodeIds: readonly string[] };
const parse = boundedCache(LIMITS.cachedCharacters, (expression): Parsed => {
  const nodeIds = new Set<string>();
  const plain = environment.parse(expression);
  visit(plain.ast, (node) => {
    const reference = nodeReference(node);
    if (reference) nodeIds.add(reference.nodeId);
  });
  const metered = meterExpression(plain.ast);
  const evaluate = metered.includes(METER_PREFIX) ? meteredEnvironment.parse(metered) : plain;
  return { evaluate, nodeIds: [...nodeIds] };
});

/**
 * Evaluates CEL over the run's data. Total: no I/O, no clock, no unbounded loop; at most LIMITS.evaluationSteps steps of work.
 * @throws AppError EXPRESSION_FAILED
 */
export function evaluateExpression(expression: string, context: ExpressionContext): Json {
  const plain = followPath(expression, context);
  if (plain !== undefined) return plain;
  openBudget();
  try {
    const { evaluate, nodeIds } = parse(expression);
    const nodes = new Map(nodeIds.map((id) => [id, context.node(id)]));
    const value: unknown = evaluate({
      ...context.bindings,
      input: context.input,
      run: context.run,
      vars: context.vars,
      nodes,
    });
    assertWithinBudget();
    bounded(value);
    return fromCel(value);
  } catch (error) {
    const detail = error instanceof AppError ? String(error.fields['detail']) : summaryOf(error);
    throw new AppError('EXPRESSION_FAILED', { expression: shorten(expression), detail }, error);
  }
}

function shorten(expression: string): string {
  return expression.length > 120 ? `${expression.slice(0, 117)}...` : expression;
}
