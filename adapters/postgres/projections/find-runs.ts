import type pg from 'pg';
import type { RunId, TenantId } from '../../../domain/identifiers.ts';
import type { Labels } from '../../../domain/runs/flow-control/labels.ts';
import type { RunRecord } from '../../../domain/runs/run-record.ts';
import type { RunStatus } from '../../../domain/runs/run-status.ts';
import { readRuns } from '../run-store.ts';

export type RunQuery = {
  tenantId: TenantId;
  /** Words, "phrases", `or` and `-not`; a word that ends with * stands for all that begin with it. Empty is every run. */
  query: string;
  labels?: Labels | undefined;
  status?: readonly RunStatus[] | undefined;
  workflowId?: string | undefined;
  /** When the run was made: from, and before. */
  from?: Date | undefined;
  to?: Date | undefined;
  first: number;
  offset: number;
};
export type RunHit = { run: RunRecord; rank: number };

/** Weights of input, output, errors, and of names and labels. */
const WEIGHTS = `'{0.1, 0.2, 0.6, 1.0}'`;

/** The best first, then the newest. */
export async function findRuns(pool: pg.Pool, search: RunQuery): Promise<{ totalCount: number; hits: RunHit[] }> {
  const values: unknown[] = [search.tenantId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const query = search.query.trim() === '' ? null : queryOf(search.query, bind);
  const filters = ['run.tenant_id = $1'];
  if (search.labels !== undefined) filters.push(`run.labels @> ${bind(JSON.stringify(search.labels))}`);
  if (search.status !== undefined) filters.push(`run.status = ANY(${bind(search.status)})`);
  if (search.workflowId !== undefined) filters.push(`run.workflow_id = ${bind(search.workflowId)}`);
  if (search.from !== undefined) filters.push(`run.created_at >= ${bind(search.from)}`);
  if (search.to !== undefined) filters.push(`run.created_at < ${bind(search.to)}`);
  const found =
    query === null
      ? 'runs run'
      : `run_search found JOIN runs run ON run.id = found.run_id AND run.tenant_id = found.tenant_id`;
  if (query !== null) filters.push(`found.tenant_id = $1 AND found.document @@ (${query})`);
  const where = `FROM ${found} WHERE ${filters.join(' AND ')}`;
  const rank = query === null ? '0' : `ts_rank_cd(${WEIGHTS}, found.document, ${query})`;
  const counting = pool.query<{ count: number }>(`SELECT count(*)::int AS count ${where}`, [...values]);
  const paging = pool.query<{ id: RunId; rank: number }>(
    `SELECT run.id, (${rank})::float8 AS rank ${where}
     ORDER BY rank DESC, run.created_at DESC, run.id DESC LIMIT ${bind(search.first)} OFFSET ${bind(search.offset)}`,
    values,
  );
  const [count, page] = await Promise.all([counting, paging]);
  const runs = await readRuns(
    pool,
    search.tenantId,
    page.rows.map(({ id }) => id),
  );
  const byId = new Map(runs.map((run) => [run.id, run]));
  return {
    totalCount: count.rows[0]?.count ?? 0,
    hits: page.rows.flatMap(({ id, rank: weight }) => {
      const run = byId.get(id);
      return run ? [{ run, rank: weight }] : [];
    }),
  };
}

const BEGINNING = /(?<=^|\s)([^\s"*]+)\*(?=\s|$)/g;

function queryOf(text: string, bind: (value: unknown) => string): string {
  const beginnings = [...text.matchAll(BEGINNING)].map(([, word]) => word as string);
  const rest = bind(text.replaceAll(BEGINNING, ' '));
  return [
    `websearch_to_tsquery('simple', ${rest})`,
    ...beginnings.map((word) => `to_tsquery('simple', quote_literal(${bind(word)}) || ':*')`),
  ].join(' && ');
}
