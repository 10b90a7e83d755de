import type { ASTNode } from '@marcbachmann/cel-js';
import { COMPREHENSIONS, childrenOf, nodeReference } from './expression-ast.ts';
import { environment } from './expression-environment.ts';
import { LIMITS } from './limits.ts';

export type ExpressionProblem = { message: string; line: number; column: number };
export type ExpressionCheck = {
  problems: ExpressionProblem[];
  /** Each use of `nodes.<id>.<field>`; field is null when the whole node is taken. */
  nodeReferences: { nodeId: string; field: string | null; line: number; column: number }[];
  /** Each use of a name that does not exist everywhere: `item`, `index`, `pass`, and `vars` with the variable's name. */
  names: { name: string; variable: string | null; line: number; column: number }[];
};

/** Parts of cel-js's standard library that are not total, not bounded, or not the same on every machine. */
const REFUSED: Readonly<Record<string, string>> = {
  matches: 'its cost cannot be bounded',
  bind: 'its cost cannot be bounded',
  bytes: 'JSON has no bytes',
  getDayOfYear: "it depends on the machine's time zone",
};

/** Parses, type-checks and bounds an expression without running it. */
export function checkExpression(expression: string, cel = environment): ExpressionCheck {
  const check: ExpressionCheck = { problems: [], nodeReferences: [], names: [] };
  if (expression.length > LIMITS.expressionLength) {
    check.problems.push({ message: `longer than ${LIMITS.expressionLength} characters`, line: 1, column: 1 });
    return check;
  }
  try {
    const result = cel.parse(expression);
    walk(result.ast, { expression, nesting: 0, depth: 0, bound: [], check });
    const types = result.check();
    if (types.error) check.problems.push({ message: summaryOf(types.error), ...positionOf(types.error, expression) });
  } catch (error) {
    const message = error instanceof RangeError ? `nested deeper than ${LIMITS.expressionDepth}` : summaryOf(error);
    check.problems.push({ message, ...positionOf(error, expression) });
  }
  return check;
}

/** `bound`: names that comprehensions around have taken. */
type Place = {
  expression: string;
  nesting: number;
  depth: number;
  bound: readonly string[];
  check: ExpressionCheck;
};
const LOCAL_NAMES = new Set(['vars', 'item', 'index', 'pass']);

function walk(node: ASTNode, at: Place): void {
  const { expression, nesting, depth, check } = at;
  const report = (message: string) => check.problems.push({ message, ...place(node.start, expression) });
  if (depth > LIMITS.expressionDepth) {
    if (!check.problems.some((problem) => problem.message.startsWith('nested deeper'))) {
      report(`nested deeper than ${LIMITS.expressionDepth}`);
    }
    return;
  }
  const refused = refusal(node);
  if (refused) report(refused);
  const reference = nodeReference(node);
  if (reference) {
    check.nodeReferences.push({ ...reference, ...place(node.start, expression) });
    return;
  }
  const name = localName(node);
  if (name && !at.bound.includes(name.name)) check.names.push({ ...name, ...place(node.start, expression) });
  if (name?.variable) return;
  if (node.op === 'id' && node.args === 'nodes') {
    report('`nodes` must be followed by the id of a node, as in nodes.<id>.output');
    return;
  }
  const inner = { ...at, depth: depth + 1 };
  if (node.op !== 'rcall' || !COMPREHENSIONS.has(node.args[0])) {
    for (const child of childrenOf(node)) walk(child, inner);
    return;
  }
  walk(node.args[1], inner);
  const [variable] = node.args[2];
  const bound = variable?.op === 'id' ? [...at.bound, variable.args] : at.bound;
  if (nesting >= LIMITS.comprehensionNesting) {
    report(`comprehensions are nested deeper than ${LIMITS.comprehensionNesting}`);
  } else for (const argument of node.args[2]) walk(argument, { ...inner, bound, nesting: nesting + 1 });
}

/** `vars.<name>`, or one of the names alone. */
function localName(node: ASTNode): { name: string; variable: string | null } | null {
  if ((node.op === '.' || node.op === '.?') && node.args[0].op === 'id' && node.args[0].args === 'vars') {
    return { name: 'vars', variable: node.args[1] };
  }
  return node.op === 'id' && LOCAL_NAMES.has(node.args) ? { name: node.args, variable: null } : null;
}

function refusal(node: ASTNode): string | null {
  if (node.op === 'value')
    return node.args instanceof Uint8Array ? `bytes are not available: ${REFUSED['bytes']}` : null;
  if (node.op !== 'call' && node.op !== 'rcall') return null;
  const name = node.args[0];
  if (Object.hasOwn(REFUSED, name)) return `${name}() is not available: ${REFUSED[name]}`;
  const zoned = node.op === 'rcall' && /^get[A-Z]/.test(name) && node.args[2].length > 0;
  return zoned ? `${name}() takes no time zone: it depends on the machine's data; UTC is meant` : null;
}

type CelFailure = {
  summary?: string;
  message?: string;
  range?: { start: number };
  node?: { start?: number; pos?: number };
};

export function summaryOf(error: unknown): string {
  const failure = error as CelFailure;
  return failure.summary ?? String(failure.message ?? error).split('\n')[0] ?? '';
}

function positionOf(error: unknown, expression: string): { line: number; column: number } {
  const failure = error as CelFailure;
  return place(failure.range?.start ?? failure.node?.start ?? failure.node?.pos ?? 0, expression);
}

function place(offset: number, expression: string): { line: number; column: number } {
  const before = expression.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
