import { isDatabaseUnavailable } from '../../adapters/postgres/database-unavailable.ts';
import { AppError } from '../../domain/errors.ts';
import { isTemporalUnavailable } from '../../temporal/temporal-unavailable.ts';

/** Gives failures of what the API stands on their codes; anything else that is no AppError stays unknown. */
export function toAppError(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error;
  if (isTemporalUnavailable(error))
    return new AppError('TEMPORAL_UNAVAILABLE', { detail: 'it does not answer' }, error);
  if (isDatabaseUnavailable(error))
    return new AppError('DATABASE_UNAVAILABLE', { detail: 'it does not answer' }, error);
  return undefined;
}
