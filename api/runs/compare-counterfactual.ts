import { readBatch } from '../../adapters/postgres/batch-store.ts';
import { countOpenPairs, listCounterfactualPairs } from '../../adapters/postgres/counterfactual-store.ts';
import { readEarlierRun } from '../../adapters/postgres/rerun-store.ts';
import { AppError } from '../../domain/errors.ts';
import { runId } from '../../domain/identifiers.ts';
import type { BatchRecord } from '../../domain/runs/batches/batch.ts';
import { compareRuns, type RunComparison } from '../../domain/runs/rerun/compare-runs.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import { isClosed } from '../../domain/runs/run-status.ts';
import type { Principal } from '../access/principal.ts';
import { pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { readRunOf } from './read-runs.ts';

export type CounterfactualRow = {
  of: RunRecord;
  run: RunRecord | undefined;
  /** Null until the counterfactual run is closed. */
  comparison: RunComparison | null;
};

/** @throws NOT_FOUND */
export async function readCounterfactual(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  id: string,
): Promise<BatchRecord> {
  const batch = id.includes('\0') ? undefined : await readBatch(pool, tenantId, id);
  if (batch?.operation === 'COUNTERFACTUAL') return batch;
  throw new AppError('NOT_FOUND', { what: 'Counterfactual', id });
}

export function openRunsOf(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  { id }: BatchRecord,
): Promise<number> {
  return countOpenPairs(pool, tenantId, id);
}

/** What came out of each run, by the id of the run that it was made of. @throws INPUT_INVALID */
export async function compareCounterfactual(
  deps: Pick<RunsDeps, 'pool'>,
  principal: Principal,
  { id, tenantId }: BatchRecord,
  page: { first?: number | null | undefined; after?: string | null | undefined },
): Promise<CounterfactualRow[]> {
  const [first, after] = [pageSize(page.first, 20, 100), page.after ?? ''];
  const pairs = await listCounterfactualPairs(deps.pool, { tenantId, batchId: id, first, after });
  const rows: CounterfactualRow[] = [];
  for (const pair of pairs) {
    const of = await readRunOf(deps, principal, pair.of);
    const run = pair.runId === null ? undefined : await readRunOf(deps, principal, runId(pair.runId));
    if (of) rows.push({ of, run, comparison: run && isClosed(run.status) ? await compared(deps, of, run) : null });
  }
  return rows;
}

async function compared({ pool }: Pick<RunsDeps, 'pool'>, of: RunRecord, run: RunRecord): Promise<RunComparison> {
  const [before, after] = await Promise.all([readEarlierRun(pool, of), readEarlierRun(pool, run)]);
  const { compiled: old, executions: had } = before;
  const { compiled, executions } = after;
  return compareRuns({ ...of, compiled: old, executions: had }, { ...run, compiled, executions });
}
