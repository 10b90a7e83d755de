import { readRunStateAt } from '../../adapters/postgres/run-state-at.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import type { RunsDeps } from './deps.ts';
import { type DiffArguments, diffRunOf } from './diff-run.ts';

export function timeTravelResolvers(deps: Pick<RunsDeps, 'pool'>) {
  return {
    Run: {
      stateAt: (run: RunRecord, { eventId }: { eventId: number }) =>
        eventId < 1 ? null : readRunStateAt(deps.pool, run.id, eventId),
      diff: (run: RunRecord, between: DiffArguments) => diffRunOf(deps, run.id, between),
    },
  };
}
