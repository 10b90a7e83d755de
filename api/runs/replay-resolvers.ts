import type { ReplayedLink } from '../../temporal/replay/replay-links.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';
import { type ReplayReport, type ReplayRuns, replayRuns } from './replay-runs.ts';

export function replayResolvers(deps: RunsDeps) {
  return {
    Query: {
      replayRuns: (_: unknown, request: ReplayRuns, { principal }: { principal: Principal }) =>
        replayRuns(deps, principal, request),
    },
    types: {
      ReplayReport: {
        diverged: ({ histories }: ReplayReport) => histories.filter(({ divergence }) => divergence !== null).length,
      },
      ReplayedHistory: {
        runId: ({ workflowId }: ReplayedLink) => workflowId,
        recordedBy: ({ buildId }: ReplayedLink) => buildId,
        nodeId: ({ divergence }: ReplayedLink) => divergence?.nodeId,
        path: ({ divergence }: ReplayedLink) => divergence?.iteration,
        eventId: ({ divergence }: ReplayedLink) => divergence?.event?.id,
        eventType: ({ divergence }: ReplayedLink) => divergence?.event?.type,
        expected: ({ divergence }: ReplayedLink) => divergence?.expected,
        actual: ({ divergence }: ReplayedLink) => divergence?.actual,
        message: ({ divergence }: ReplayedLink) => divergence?.message,
        same: ({ divergence }: ReplayedLink) => divergence === null,
      },
      ReplayedCommand: { path: ({ iteration }: { iteration: string | null }) => iteration },
    },
  };
}
