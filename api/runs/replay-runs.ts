import { listRuns } from '../../adapters/postgres/run-store.ts';
import { AppError } from '../../domain/errors.ts';
import { workflowId as asWorkflowId } from '../../domain/identifiers.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import { readChain } from '../../temporal/read-chain.ts';
import type { ReplayedLink, ReplayLink } from '../../temporal/replay/replay-links.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { readRunOf } from './read-runs.ts';

export type ReplayRuns = {
  runIds?: readonly string[] | null | undefined;
  workflowId?: string | null | undefined;
  last?: number | null | undefined;
};
export type ReplayReport = {
  histories: ReplayedLink[];
  /** Runs of whose history Temporal knows nothing any more. */
  missing: string[];
};

const DEFAULT_LAST = 10;
const MOST_RUNS = 50;

/**
 * Histories of runs against the workflow code that the workers have: nothing is called and nothing changed.
 * @throws INPUT_INVALID, NOT_FOUND, SETUP_INCOMPLETE
 */
export async function replayRuns(deps: RunsDeps, principal: Principal, request: ReplayRuns): Promise<ReplayReport> {
  if (!deps.replay) throw new AppError('SETUP_INCOMPLETE', { detail: 'WEFT_WORKFLOW_BUNDLE is not set' });
  const links: ReplayLink[] = [];
  const missing: string[] = [];
  for (const { id } of await chosen(deps, principal, request)) {
    const chain = await chainOf(deps, id);
    if (chain === null) missing.push(id);
    else links.push(...chain);
  }
  return { histories: await deps.replay(links), missing };
}

async function chosen(
  deps: RunsDeps,
  principal: Principal,
  { runIds, workflowId, last }: ReplayRuns,
): Promise<RunRecord[]> {
  const most = last ?? DEFAULT_LAST;
  if (most < 1 || most > MOST_RUNS) throw argumentInvalid('last', `must be 1 to ${MOST_RUNS}`);
  if (!runIds) {
    if (workflowId?.includes('\0')) throw argumentInvalid('workflowId', 'is not valid');
    const workflow = workflowId ? { workflowId: asWorkflowId(workflowId) } : {};
    return (await listRuns(deps.pool, { tenantId: principal.tenantId, first: most, ...workflow })).rows;
  }
  if (runIds.length > MOST_RUNS) throw argumentInvalid('runIds', `must be at most ${MOST_RUNS}`);
  const runs: RunRecord[] = [];
  for (const id of runIds) {
    const run = await readRunOf(deps, principal, id);
    if (!run) throw new AppError('NOT_FOUND', { what: 'Run', id });
    runs.push(run);
  }
  return runs;
}

async function chainOf({ temporal }: RunsDeps, workflowId: string): Promise<ReplayLink[] | null> {
  try {
    return (await readChain(temporal, workflowId)).map((history) => ({ workflowId, history }));
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
