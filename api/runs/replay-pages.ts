import { isRunCursor, listRuns, readRuns, runCursor } from '../../adapters/postgres/run-store.ts';
import { AppError } from '../../domain/errors.ts';
import { runId, workflowId as asWorkflowId } from '../../domain/identifiers.ts';
import { listExecutions } from '../../temporal/list-executions.ts';
import { tenantQuery } from '../../temporal/tenant-query.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { readRunOf } from './read-runs.ts';

export type ReplayChoice = {
  runIds?: readonly string[] | null | undefined;
  workflowId?: string | null | undefined;
  query?: string | null | undefined;
};
/** Some of the runs chosen; `taken` counts what was looked at, and `next` is where the others are. */
type ReplayPage = { ids: string[]; taken: number; next: string | null };
export type ReplayPages = (first: number, after: string | null) => Promise<ReplayPage>;

/** Runs to replay, a page at a time, of the principal's tenant alone. @throws INPUT_INVALID */
export function replayPages(deps: RunsDeps, principal: Principal, choice: ReplayChoice): ReplayPages {
  const { runIds, workflowId, query } = choice;
  if (typeof query === 'string') {
    if (runIds || workflowId) throw argumentInvalid('query', 'goes without runIds and workflowId');
    return pagesByQuery(deps, principal, query);
  }
  return runIds ? pagesByName(deps, principal, runIds) : lastPages(deps, principal, workflowId ?? null);
}

function lastPages({ pool }: RunsDeps, { tenantId }: Principal, workflowId: string | null): ReplayPages {
  if (workflowId?.includes('\0')) throw argumentInvalid('workflowId', 'is not valid');
  const workflow = workflowId ? { workflowId: asWorkflowId(workflowId) } : {};
  return async (first, after) => {
    if (after !== null && !isRunCursor(after)) throw argumentInvalid('after', 'is no place in these runs');
    const page = await listRuns(pool, { tenantId, first, after: after ?? undefined, ...workflow });
    const last = page.rows.at(-1);
    const next = page.hasNextPage && last ? runCursor(last) : null;
    return { ids: page.rows.map(({ id }) => id), taken: page.rows.length, next };
  };
}

function pagesByName(deps: RunsDeps, principal: Principal, runIds: readonly string[]): ReplayPages {
  return async (first, after) => {
    const begin = after === null ? 0 : runIds.indexOf(after) + 1;
    if (after !== null && begin === 0) throw argumentInvalid('after', 'is none of runIds');
    const ids = runIds.slice(begin, begin + first);
    for (const id of ids) {
      if (!(await readRunOf(deps, principal, id))) throw new AppError('NOT_FOUND', { what: 'Run', id });
    }
    return { ids, taken: ids.length, next: begin + first < runIds.length ? (ids.at(-1) ?? null) : null };
  };
}

/** What Temporal finds is looked up among the tenant's own rows besides. */
function pagesByQuery(deps: RunsDeps, { tenantId }: Principal, query: string): ReplayPages {
  const { pool, temporal, settings } = deps;
  const own = settings.WEFT_TENANT_NAMESPACES.includes(`${tenantId}=${settings.TEMPORAL_NAMESPACE}`);
  const asked = tenantQuery(query, tenantId, own);
  if (asked === null) throw argumentInvalid('query', 'must be closed in itself, without comments and escapes');
  return async (first, after) => {
    const { workflowIds, found, next } = await listExecutions(temporal, asked, { first, after });
    const known = new Set<string>((await readRuns(pool, tenantId, workflowIds.map(runId))).map(({ id }) => id));
    return { ids: workflowIds.filter((id) => known.has(id)), taken: found, next };
  };
}
