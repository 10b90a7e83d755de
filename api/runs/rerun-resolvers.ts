import { runId } from '../../domain/identifiers.ts';
import type { PlannedAction, PlannedExecution } from '../../domain/runs/rerun/plan-rerun.ts';
import type { Rerun, RunRecord } from '../../domain/runs/run-record.ts';
import type { Principal } from '../access/principal.ts';
import { pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import type { RunLoaders } from './loaders.ts';
import { listRunsOf, type PageArguments } from './read-runs.ts';
import { type ForkAt, forkAt, planForkOf, type Planned, planRerunOf, type RerunFrom, rerunFrom } from './rerun-run.ts';

type Context = { principal: Principal; loaders: RunLoaders };
type Shown = { action?: readonly PlannedAction[] | null; first?: number | null };

export function rerunResolvers(deps: RunsDeps) {
  return {
    Query: {
      planRerun: (_: unknown, request: RerunFrom, { principal }: Context) => planRerunOf(deps, principal, request),
      planFork: (_: unknown, request: ForkAt, { principal }: Context) => planForkOf(deps, principal, request),
    },
    Mutation: {
      rerunFrom: (_: unknown, request: RerunFrom, { principal }: Context) => rerunFrom(deps, principal, request),
      forkAt: (_: unknown, request: ForkAt, { principal }: Context) => forkAt(deps, principal, request),
    },
    Run: {
      rerunOf: ({ rerun }: RunRecord) => rerun,
      reruns: (run: RunRecord, page: PageArguments, { principal }: Context) =>
        listRunsOf(deps, principal, { ...page, rerunOf: run.id }),
    },
    types: {
      RerunOf: {
        runId: ({ of }: Rerun) => of,
        run: ({ of }: Rerun, _: unknown, { loaders }: Context) => loaders.run.load(runId(of)),
      },
      RerunPlan: {
        version: ({ published }: Planned) => published.version,
        executions: ({ plan }: Planned, { action, first }: Shown) =>
          plan.executions
            .filter((one) => !action || action.includes(one.action))
            .slice(0, pageSize(first, 1_000, 10_000)),
        saved: ({ plan }: Planned) => plan.saved,
        spent: ({ plan }: Planned) => plan.spent,
      },
      PlannedExecution: {
        path: ({ iteration }: PlannedExecution) => iteration,
        reusedFrom: ({ runId: from }: PlannedExecution) => from,
        inputTokens: ({ usage }: PlannedExecution) => usage?.inputTokens,
        outputTokens: ({ usage }: PlannedExecution) => usage?.outputTokens,
        costMicroUsd: ({ usage }: PlannedExecution) => usage?.costMicroUsd,
      },
    },
  };
}
