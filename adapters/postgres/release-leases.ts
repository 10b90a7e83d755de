import type pg from 'pg';

export const ADMISSION_CHANNEL = 'weft_admission';

/** Part of the transaction that closes the runs: their places become free with it or not at all. */
export async function releaseLeases(client: pg.PoolClient, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await client.query({
    name: 'release-leases',
    text: `WITH ended AS (
             DELETE FROM run_admissions WHERE run_id = ANY($1)
           ), released AS (
             DELETE FROM run_leases WHERE run_id = ANY($1) RETURNING tenant_id, name
           ), freed AS (
             INSERT INTO lease_releases (tenant_id, name) SELECT DISTINCT tenant_id, name FROM released RETURNING id
           )
           SELECT pg_notify('${ADMISSION_CHANNEL}', '') FROM (SELECT 1 FROM freed LIMIT 1) AS one`,
    values: [runIds],
  });
}
