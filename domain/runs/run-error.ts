import { AppError } from '../errors.ts';
import type { RunError } from './run-event.ts';

export function toRunError(error: unknown, nodeId: string | null): RunError {
  const known = error instanceof AppError ? error : new AppError('INTERNAL', {}, error);
  return { code: known.code, message: known.message, nodeId, hint: known.hint ?? null };
}
