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
import { meterExpression } from './meter-expression.ts';

export type ExpressionContext = {
  input: Json;
  run: Json;
  /** What `nodes.<id>` is; asked only for nodes that the expression names. */
  node: (id: string) => Json;
};

type Parsed = { evaluate: ParseResult; nodeIds: readonly string[] };
const parse = boundedCache(LIMITS.cachedCharacters, (expression): Parsed => {
  const nodeIds = new Set<string>();
  const { ast } = environment.parse(expression);
  visit(ast, (node) => {
    const reference = nodeReference(node);
    if (reference) nodeIds.add(reference.nodeId);
  });
  return { evaluate: meteredEnvironment.parse(meterExpression(ast)), nodeIds: [...nodeIds] };
});

/**
 * Evaluates CEL over the run's data. Total: no I/O, no clock, no unbounded loop; at most LIMITS.evaluationSteps steps of work.
 * @throws AppError EXPRESSION_FAILED
 */
export function evaluateExpression(expression: string, context: ExpressionContext): Json {
  openBudget();
  try {
    const { evaluate, nodeIds } = parse(expression);
    const nodes = new Map(nodeIds.map((id) => [id, context.node(id)]));
    const value: unknown = evaluate({ input: context.input, run: context.run, nodes });
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
