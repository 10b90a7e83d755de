import { AppError } from '../errors.ts';
import { LIMITS } from './limits.ts';
import { valueSize } from './value-size.ts';

/** Characters that an operation linear in its operands handles in about the time of one step. */
const SIZE_PER_STEP = 1024;
/** Searching is slower: up to LIMITS.soughtLength comparisons a character. */
const SEARCHED_PER_STEP = 256;
/** Syntax nodes of a comprehension's body that make one step. */
const NODES_PER_STEP = 8;

let stepsLeft = 0;
/** Made once: a quantifier swallows what its body throws, so an exhausted budget may be thrown very often. */
const exhausted = failure(`more than ${LIMITS.evaluationSteps} steps`);

export function openBudget(): void {
  stepsLeft = LIMITS.evaluationSteps;
}

/** @throws AppError when the budget ran out, also where a quantifier has swallowed that. */
export function assertWithinBudget(): void {
  if (stepsLeft < 0) throw exhausted;
}

/** What `meterExpression` puts around the costly parts of an expression; each gives its operand back. */
export const METERS: Readonly<Record<string, (value: unknown, nodes: unknown) => unknown>> = {
  /** The range of a comprehension, paid before its first iteration. */
  'weft_range(dyn, int): dyn': (value, nodes) => {
    bounded(value);
    return spend(value, lengthOf(value) * Math.ceil(Number(nodes) / NODES_PER_STEP));
  },
  'weft_sized(dyn): dyn': (value) => spend(value, Math.floor(bounded(value) / SIZE_PER_STEP)),
  'weft_searched(dyn): dyn': (value) => spend(value, Math.floor(bounded(value) / SEARCHED_PER_STEP)),
  'weft_sought(dyn): dyn': (value) => {
    if (valueSize(value) > LIMITS.soughtLength) {
      throw failure(`a text of more than ${LIMITS.soughtLength} characters cannot be searched for or parsed`);
    }
    return value;
  },
};

/** @throws AppError for a value larger than any that can be stored. */
export function bounded(value: unknown): number {
  const size = valueSize(value);
  if (size > LIMITS.valueLength) throw failure(`a value of more than ${LIMITS.valueLength} characters`);
  return size;
}

function spend<Value>(value: Value, steps: number): Value {
  stepsLeft -= steps;
  assertWithinBudget();
  return value;
}

function lengthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) return value.length;
  return value instanceof Map ? value.size : Object.keys(value).length;
}

function failure(detail: string): AppError {
  return new AppError('EXPRESSION_FAILED', { expression: '', detail });
}
