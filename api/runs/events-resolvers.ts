import type { Verification } from '../../domain/events/verification.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import type { RunsDeps } from './deps.ts';
import type { RunsContext } from './resolvers.ts';
import { verifyRun } from './verify-run.ts';

export function eventsResolvers(deps: RunsDeps) {
  return {
    Run: {
      verification: (run: RunRecord, _: unknown, { principal }: RunsContext) => verifyRun(deps, principal, run.id),
    },
    EventVerification: { sound: ({ found }: Verification) => found.length === 0 },
  };
}
