import type { RunRecord } from '../../domain/runs/run-record.ts';
import type { ExecutionChange } from '../../domain/runs/time-travel/diff-run.ts';
import type { RunsDeps } from './deps.ts';
import { type DiffArguments, diffRunOf } from './diff-run.ts';

export function timeTravelResolvers(deps: Pick<RunsDeps, 'pool'>) {
  return {
    Run: { diff: (run: RunRecord, between: DiffArguments) => diffRunOf(deps, run.id, between) },
    ExecutionChange: { path: ({ iteration }: ExecutionChange) => iteration },
  };
}
