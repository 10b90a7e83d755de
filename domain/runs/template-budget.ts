import { AppError } from '../errors.ts';
import { LIMITS } from './limits.ts';

/** What a helper call costs beside the characters it handles; a repetition costs 1. */
const CALL = 0.1;
const CHARACTERS_PER_STEP = 1024;
let stepsLeft = 0;

export function openTemplateBudget(): void {
  stepsLeft = LIMITS.evaluationSteps;
}

/** @throws AppError TEMPLATE_FAILED */
export function spendSteps(steps: number): void {
  stepsLeft -= steps;
  if (stepsLeft >= 0) return;
  throw new AppError('TEMPLATE_FAILED', { detail: `more than ${LIMITS.evaluationSteps} repetitions` });
}

export function spendOn(...values: readonly unknown[]): void {
  spendSteps(values.reduce<number>((sum, value) => sum + lengthOf(value) / CHARACTERS_PER_STEP, CALL));
}

const lengthOf = (value: unknown): number => (typeof value === 'string' || Array.isArray(value) ? value.length : 0);
