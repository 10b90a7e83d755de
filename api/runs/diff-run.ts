import { readRunDiff, type RunDiffBetween } from '../../adapters/postgres/run-diff.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';

export type DiffArguments = { from: number; to: number };

/** @throws INPUT_INVALID */
export function diffRunOf(
  { pool }: Pick<RunsDeps, 'pool'>,
  runId: string,
  { from, to }: DiffArguments,
): Promise<RunDiffBetween> {
  if (from < 0) throw argumentInvalid('from', 'must be 0 or more');
  if (to < from) throw argumentInvalid('to', 'must not be below `from`');
  return readRunDiff(pool, runId, from, to);
}
