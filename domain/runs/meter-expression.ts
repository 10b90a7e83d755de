import type { ASTNode } from '@marcbachmann/cel-js';
import { AppError } from '../errors.ts';
import { childrenOf, COMPREHENSIONS } from './expression-ast.ts';

/** What the names of all meters begin with. */
export const METER_PREFIX = 'weft_';
const COMPARED = new Set(['+', '==', '!=', 'in', '<', '<=', '>', '>=']);
const SEARCHES = new Set(['contains', 'indexOf', 'lastIndexOf', 'split']);
const SIZED_METHODS = new Set(['size', 'lowerAscii', 'upperAscii', 'trim', 'startsWith', 'endsWith', 'join']);

/** The same expression with METERS around every operation whose cost depends on the size of its operands. */
export function meterExpression(node: ASTNode): string {
  switch (node.op) {
    case 'value':
      return literal(node.args);
    case 'id':
      return node.args;
    case '.':
    case '.?':
      return `${target(node.args[0])}${node.op}${node.args[1]}`;
    case '[]':
      return `${target(node.args[0])}[${meterExpression(node.args[1])}]`;
    case '[?]':
      return `${target(node.args[0])}[?${meterExpression(node.args[1])}]`;
    case 'list':
      return `[${node.args.map(meterExpression).join(', ')}]`;
    case 'map':
      return `{${node.args.map(([key, value]) => `${meterExpression(key)}: ${meterExpression(value)}`).join(', ')}}`;
    case '?:': {
      const [condition, left, right] = node.args.map(meterExpression);
      return `(${condition} ? ${left} : ${right})`;
    }
    case '!_':
    case '-_':
      return `(${node.op[0]}${meterExpression(node.args)})`;
    case 'call':
      return call(node.args[0], node.args[1]);
    case 'rcall':
      return methodCall(...node.args);
    default: {
      const costsBySize = node.op === 'in' || (COMPARED.has(node.op) && !node.args.some(isNumber));
      const [left, right] = node.args.map((operand) => (costsBySize ? sized(operand) : meterExpression(operand)));
      return `(${left} ${node.op} ${right})`;
    }
  }
}

function call(name: string, args: readonly ASTNode[]): string {
  const print = name === 'has' ? meterExpression : name === 'duration' ? sought : sized;
  return `${name}(${args.map(print).join(', ')})`;
}

function methodCall(name: string, receiver: ASTNode, args: readonly ASTNode[]): string {
  if (COMPREHENSIONS.has(name) && args.length > 1) {
    const nodes = args.slice(1).reduce((sum, body) => sum + countNodes(body), 0);
    return `weft_range(${meterExpression(receiver)}, ${nodes}).${name}(${args.map(meterExpression).join(', ')})`;
  }
  const [first, ...rest] = args;
  if (SEARCHES.has(name) && first) {
    const others = rest.map((argument) => `, ${meterExpression(argument)}`).join('');
    return `weft_searched(${meterExpression(receiver)}).${name}(${sought(first)}${others})`;
  }
  if (!SIZED_METHODS.has(name)) return `${target(receiver)}.${name}(${args.map(meterExpression).join(', ')})`;
  return `weft_sized(${meterExpression(receiver)}).${name}(${args.map(name === 'join' ? sought : sized).join(', ')})`;
}

/** Beside a number the operands are numbers too, or it is an error. */
const isNumber = (node: ASTNode): boolean =>
  node.op === 'value' && (typeof node.args === 'number' || typeof node.args === 'bigint');

/** Literals are as short as the expression is. */
const sized = (node: ASTNode): string =>
  node.op === 'value' ? literal(node.args) : `weft_sized(${meterExpression(node)})`;
const sought = (node: ASTNode): string => `weft_sought(${meterExpression(node)})`;
const target = (node: ASTNode): string => (node.op === 'value' ? `(${literal(node.args)})` : meterExpression(node));

function countNodes(node: ASTNode): number {
  return childrenOf(node).reduce((sum, child) => sum + countNodes(child), 1);
}

function literal(value: unknown): string {
  if (typeof value === 'string') return `"${value.replaceAll(/["\\\n\r]/g, (found) => ESCAPES[found] ?? '')}"`;
  if (typeof value === 'number') return /[.e]/.test(String(value)) ? String(value) : `${value}.0`;
  if (value instanceof Uint8Array) {
    throw new AppError('EXPRESSION_FAILED', { expression: '', detail: 'bytes are not available' });
  }
  // What is left of the objects that a literal can be is an unsigned integer.
  return typeof value === 'object' && value !== null ? `${String(value)}u` : String(value);
}
const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r' };
