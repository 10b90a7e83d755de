import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import { AppError } from '../errors.ts';
import type { Json } from '../json.ts';
import { fromCel } from './expression-value.ts';
import { LIMITS } from './limits.ts';

export const EXPRESSION_VARIABLES = ['input', 'nodes', 'run'] as const;
export type ExpressionContext = {
  input: Json;
  run: Json;
  /** What `nodes.<id>` is; asked only for nodes that the expression names. */
  node: (id: string) => Json;
};

/** The rest of cel-js's standard library is total and linear; these three are not (regular expressions backtrack, bind doubles). */
const REFUSED_CALLS = new Set(['matches', 'bind']);
const COMPREHENSIONS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

let stepsLeft = 0;
function step<Value>(value: Value): Value {
  stepsLeft -= 1;
  if (stepsLeft < 0) {
    throw new AppError('EXPRESSION_FAILED', { expression: '', detail: `more than ${LIMITS.evaluationSteps} steps` });
  }
  return value;
}

const environment = createEnvironment();
type Parsed = { evaluate: ParseResult; nodeIds: readonly string[] };
const parsed = new Map<string, Parsed>();

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
  };
  for (const [operator, apply] of Object.entries(arithmetic)) {
    const mixed = (left: number | bigint, right: number | bigint) => apply(Number(left), Number(right));
    cel.registerOperator(`double ${operator} int`, mixed);
    cel.registerOperator(`int ${operator} double`, mixed);
  }
  cel.registerFunction('weft_step(dyn): dyn', step);
  return cel;
}

/**
 * Evaluates CEL over the run's data. Total: no I/O, no clock, no unbounded loop; at most LIMITS.evaluationSteps comprehension steps.
 * @throws AppError EXPRESSION_FAILED
 */
export function evaluateExpression(expression: string, context: ExpressionContext): Json {
  stepsLeft = LIMITS.evaluationSteps;
  try {
    const { evaluate, nodeIds } = parseBounded(expression);
    const nodes = Object.fromEntries(nodeIds.map((id) => [id, context.node(id)]));
    return fromCel(evaluate({ input: context.input, run: context.run, nodes }));
  } catch (error) {
    const detail = error instanceof AppError ? String(error.fields['detail']) : summaryOf(error);
    throw new AppError('EXPRESSION_FAILED', { expression: shorten(expression), detail }, error);
  }
}

export type ExpressionProblem = { message: string; line: number; column: number };
export type ExpressionCheck = {
  problems: ExpressionProblem[];
  /** Each use of `nodes.<id>.<field>`; field is null when the whole node is taken. */
  nodeReferences: { nodeId: string; field: string | null; line: number; column: number }[];
};

/** Parses, type-checks and bounds an expression without running it. */
export function checkExpression(expression: string): ExpressionCheck {
  const check: ExpressionCheck = { problems: [], nodeReferences: [] };
  if (expression.length > LIMITS.expressionLength) {
    check.problems.push({ message: `longer than ${LIMITS.expressionLength} characters`, line: 1, column: 1 });
    return check;
  }
  try {
    const result = environment.parse(expression);
    walk(result.ast, expression, 0, check);
    const types = result.check();
    if (types.error) check.problems.push({ message: summaryOf(types.error), ...positionOf(types.error, expression) });
  } catch (error) {
    check.problems.push({ message: summaryOf(error), ...positionOf(error, expression) });
  }
  return check;
}

function parseBounded(expression: string): Parsed {
  let result = parsed.get(expression);
  if (result === undefined) {
    if (parsed.size >= 10_000) parsed.clear();
    const nodeIds = new Set<string>();
    each(environment.parse(expression).ast, (node) => {
      const reference = nodeReference(node);
      if (reference) nodeIds.add(reference.nodeId);
    });
    result = { evaluate: environment.parse(withSteps(expression)), nodeIds: [...nodeIds] };
    parsed.set(expression, result);
  }
  return result;
}

/** Wraps the body of every comprehension in weft_step(), which counts. */
function withSteps(expression: string): string {
  const insertions: { offset: number; text: string }[] = [];
  each(environment.parse(expression).ast, (node) => {
    if (node.op !== 'rcall' || !COMPREHENSIONS.has(node.args[0])) return;
    const body = node.args[2].at(-1);
    if (body === undefined || node.args[2].length < 2) return;
    insertions.push({ offset: body.start, text: 'weft_step(' }, { offset: body.end, text: ')' });
  });
  insertions.sort((left, right) => right.offset - left.offset);
  return insertions.reduce((text, at) => text.slice(0, at.offset) + at.text + text.slice(at.offset), expression);
}

function walk(node: ASTNode, expression: string, nesting: number, check: ExpressionCheck): void {
  const report = (message: string) => check.problems.push({ message, ...place(node.start, expression) });
  let inner = nesting;
  if (node.op === 'rcall' || node.op === 'call') {
    const name = node.args[0];
    if (REFUSED_CALLS.has(name)) report(`${name}() is not available: its cost cannot be bounded`);
    if (name === 'weft_step') report('weft_step() is reserved');
    if (node.op === 'rcall' && COMPREHENSIONS.has(name)) inner += 1;
    if (inner > LIMITS.comprehensionNesting) {
      report(`comprehensions are nested deeper than ${LIMITS.comprehensionNesting}`);
      return;
    }
  }
  const reference = nodeReference(node);
  if (reference) check.nodeReferences.push({ ...reference, ...place(node.start, expression) });
  else if (node.op === 'id' && node.args === 'nodes') {
    report('`nodes` must be followed by the id of a node, as in nodes.<id>.output');
  } else for (const child of childrenOf(node)) walk(child, expression, inner, check);
}

/** Matches `nodes.<id>.<field>` and `nodes["<id>"].<field>`, the longest form first. */
function nodeReference(node: ASTNode): { nodeId: string; field: string | null } | null {
  const own = selected(node);
  if (own === null) return null;
  if (own.target.op === 'id' && own.target.args === 'nodes') return { nodeId: own.name, field: null };
  const outer = selected(own.target);
  if (outer?.target.op === 'id' && outer.target.args === 'nodes') return { nodeId: outer.name, field: own.name };
  return null;
}

function selected(node: ASTNode): { target: ASTNode; name: string } | null {
  if (node.op === '.' || node.op === '.?') return { target: node.args[0], name: node.args[1] };
  if ((node.op === '[]' || node.op === '[?]') && node.args[1].op === 'value' && typeof node.args[1].args === 'string') {
    return { target: node.args[0], name: node.args[1].args };
  }
  return null;
}

function each(node: ASTNode, visitor: (node: ASTNode) => void): void {
  visitor(node);
  for (const child of childrenOf(node)) each(child, visitor);
}

function childrenOf(node: ASTNode): ASTNode[] {
  const collect = (value: unknown): ASTNode[] => {
    if (Array.isArray(value)) return value.flatMap(collect);
    return typeof value === 'object' && value !== null && 'op' in value ? [value as ASTNode] : [];
  };
  return collect(node.args);
}

type CelFailure = {
  summary?: string;
  message?: string;
  range?: { start: number };
  node?: { start?: number; pos?: number };
};

function summaryOf(error: unknown): string {
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

function shorten(expression: string): string {
  return expression.length > 120 ? `${expression.slice(0, 117)}...` : expression;
}
