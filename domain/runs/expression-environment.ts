import { Environment } from '@marcbachmann/cel-js';
import { METERS } from './expression-budget.ts';
import { LIMITS } from './limits.ts';

/** `item`, `index` exist in the body of a map, `pass` in that of a loop, `vars` where variables are declared. */
export const EXPRESSION_VARIABLES = ['input', 'nodes', 'run', 'vars', 'item', 'index', 'pass'] as const;

/** For what people write. */
export const environment = createEnvironment();
/** For what `meterExpression` makes of it, which is longer and deeper. */
export const meteredEnvironment = environment.clone({ limits: { maxAstNodes: 100_000, maxDepth: 1_000 } });
for (const [signature, meter] of Object.entries(METERS)) meteredEnvironment.registerFunction(signature, meter);

/** JSON has one kind of number, so arithmetic between CEL's int (literals, size()) and double (data) is allowed and gives a double. */
function createEnvironment(): Environment {
  const cel = new Environment({
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: { maxAstNodes: LIMITS.expressionNodes * 2, maxDepth: LIMITS.expressionDepth },
  });
  for (const name of EXPRESSION_VARIABLES) cel.registerVariable(name, 'dyn');
  const arithmetic: Record<string, (left: number, right: number) => number> = {
    '+': (left, right) => left + right,
    '-': (left, right) => left - right,
    '*': (left, right) => left * right,
    '/': (left, right) => left / right,
    '%': (left, right) => left % right,
  };
  for (const [operator, apply] of Object.entries(arithmetic)) {
    const mixed = (left: number | bigint, right: number | bigint) => apply(Number(left), Number(right));
    cel.registerOperator(`double ${operator} int`, mixed);
    cel.registerOperator(`int ${operator} double: double`, mixed);
  }
  cel.registerOperator('double % double', (left: number, right: number) => left % right);
  return cel;
}
