import { runLineage } from '../../domain/runs/child-run-id.ts';
import type { Queryable } from './payload-store.ts';

/**
 * The tenants of runs. A child run has its parent's row to go by until its own is there: the projector stores it, which may be after its
 * first calls. Those of which nothing is known are left out.
 */
export async function tenantsOfRuns(db: Queryable, runIds: readonly string[]): Promise<Map<string, string>> {
  const known = [...new Set(runIds)].flatMap((run) => runLineage(run).map((id, distance) => ({ run, id, distance })));
  const { rows } = await db.query<{ run: string; tenant_id: string }>({
    name: 'tenants-of-runs',
    text: `SELECT DISTINCT ON (given.run) given.run, runs.tenant_id
           FROM unnest($1::text[], $2::text[], $3::int[]) AS given(run, id, distance) JOIN runs USING (id)
           ORDER BY given.run, given.distance`,
    values: [known.map(({ run }) => run), known.map(({ id }) => id), known.map(({ distance }) => distance)],
  });
  return new Map(rows.map(({ run, tenant_id }) => [run, tenant_id]));
}
