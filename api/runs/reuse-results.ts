import { newestRunOf, readEarlierRun } from '../../adapters/postgres/rerun-store.ts';
import { AppError } from '../../domain/errors.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import { buildSeed } from '../../domain/runs/rerun/build-seed.ts';
import type { PublishedDefinition, RunRecord } from '../../domain/runs/run-record.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import type { BegunAs } from './execute-workflow.ts';
import { readRunOf } from './read-runs.ts';

export type Reuse = {
  /** Whatever this run has already found out is not asked again. */
  reuseFrom?: string | null | undefined;
  /** As `reuseFrom` the newest run of the workflow that completed; where there is none, nothing is reused. */
  reuse?: boolean | null | undefined;
};

/** What a run that is started may take over from an earlier one of the same workflow. @throws NOT_FOUND, INPUT_INVALID */
export async function reusedBy(
  deps: RunsDeps,
  principal: Principal,
  { reuseFrom, reuse }: Reuse,
  published: PublishedDefinition,
): Promise<BegunAs | undefined> {
  const earlier = await earlierOf(deps, principal, { reuseFrom, reuse }, published);
  if (!earlier) return undefined;
  const to = compileDefinition(published.definition);
  const seed = buildSeed(await readEarlierRun(deps.pool, earlier), to, { named: null, patches: {} });
  return { rerun: { of: earlier.id, kind: 'REUSE', eventId: null, nodeIds: null, patches: {} }, seed: { seed } };
}

async function earlierOf(
  deps: RunsDeps,
  principal: Principal,
  { reuseFrom, reuse }: Reuse,
  { workflowId }: PublishedDefinition,
): Promise<RunRecord | undefined> {
  if (reuseFrom === null || reuseFrom === undefined) {
    return reuse ? newestRunOf(deps.pool, principal.tenantId, workflowId) : undefined;
  }
  const run = await readRunOf(deps, principal, reuseFrom);
  if (!run) throw new AppError('NOT_FOUND', { what: 'Run', id: reuseFrom });
  if (run.workflowId !== workflowId) throw argumentInvalid('reuseFrom', `is a run of ${run.workflowId}`);
  return run;
}
