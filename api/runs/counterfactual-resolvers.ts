import type { BatchRecord } from '../../domain/runs/batches/batch.ts';
import type { Divergence } from '../../domain/runs/rerun/compare-runs.ts';
import type { Principal } from '../access/principal.ts';
import {
  compareCounterfactual,
  type CounterfactualRow,
  openRunsOf,
  readCounterfactual,
} from './compare-counterfactual.ts';
import { type Counterfactual, counterfactual } from './counterfactual.ts';
import type { RunsDeps } from './deps.ts';
import type { PageArguments } from './read-runs.ts';

type Context = { principal: Principal };

export function counterfactualResolvers(deps: RunsDeps) {
  return {
    Query: {
      counterfactualResult: (_: unknown, { id }: { id: string }, { principal }: Context) =>
        readCounterfactual(deps, principal, id),
    },
    Mutation: {
      counterfactual: (_: unknown, request: Counterfactual, { principal }: Context) =>
        counterfactual(deps, principal, request),
    },
    types: {
      Counterfactual: {
        batch: (batch: BatchRecord) => batch,
        changes: ({ whatIf }: BatchRecord) => whatIf?.changes,
        mayRun: ({ whatIf }: BatchRecord) => whatIf?.rehearsal.live,
        open: (batch: BatchRecord, _: unknown, { principal }: Context) => openRunsOf(deps, principal, batch),
        rows: (batch: BatchRecord, page: PageArguments, { principal }: Context) =>
          compareCounterfactual(deps, principal, batch, page),
      },
      CounterfactualRow: {
        same: ({ comparison }: CounterfactualRow) => comparison?.same,
        differences: ({ comparison }: CounterfactualRow) => comparison?.differences,
        path: ({ comparison }: CounterfactualRow) => comparison?.path,
        divergences: ({ comparison }: CounterfactualRow) => comparison?.divergences,
        ran: ({ comparison }: CounterfactualRow) => comparison?.ran,
        durationBeforeMs: ({ comparison }: CounterfactualRow) => comparison?.durationMs.before,
        durationAfterMs: ({ comparison }: CounterfactualRow) => comparison?.durationMs.after,
        before: ({ comparison }: CounterfactualRow) => comparison?.cost.before,
        after: ({ comparison }: CounterfactualRow) => comparison?.cost.after,
      },
      Divergence: { path: ({ iteration }: Divergence) => iteration },
    },
  };
}
