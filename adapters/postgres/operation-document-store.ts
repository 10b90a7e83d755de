import { DEFAULT_TENANT, type TenantId } from '../../domain/identifiers.ts';
import type { Queryable } from './payload-store.ts';

export type OperationDocument = {
  /** SHA-256 of the text. */
  hash: string;
  name: string | null;
  kind: 'query' | 'mutation' | 'subscription';
  body: string;
  publishedBy: string | null;
  publishedAt: Date;
};

const COLUMNS = 'hash, name, kind, body, published_by AS "publishedBy", published_at AS "publishedAt"';

/** Gives how many were not there before. */
export async function saveOperationDocuments(
  pool: Queryable,
  tenantId: TenantId,
  by: string | null,
  documents: readonly Pick<OperationDocument, 'hash' | 'name' | 'kind' | 'body'>[],
): Promise<number> {
  const columns = (['hash', 'name', 'kind', 'body'] as const).map((name) => documents.map((one) => one[name]));
  const { rowCount } = await pool.query(
    `INSERT INTO operation_documents (tenant_id, published_by, hash, name, kind, body)
     SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::text[], $6::text[])
     ON CONFLICT DO NOTHING`,
    [tenantId, by, ...columns],
  );
  return rowCount ?? 0;
}

/** In the order of their names. */
export async function listOperationDocuments(pool: Queryable, tenantId: TenantId): Promise<OperationDocument[]> {
  const { rows } = await pool.query<OperationDocument>(
    `SELECT ${COLUMNS} FROM operation_documents WHERE tenant_id = $1 ORDER BY name NULLS LAST, hash`,
    [tenantId],
  );
  return rows;
}

export async function deleteOperationDocument(pool: Queryable, tenantId: TenantId, hash: string): Promise<boolean> {
  const { rowCount } = await pool.query('DELETE FROM operation_documents WHERE tenant_id = $1 AND hash = $2', [
    tenantId,
    hash,
  ]);
  return rowCount === 1;
}

/** Published in the tenant, or in the first one, whose documents are for all. */
export async function findOperationDocument(pool: Queryable, tenantId: TenantId, hash: string): Promise<string | null> {
  const { rows } = await pool.query<{ body: string }>(
    'SELECT body FROM operation_documents WHERE tenant_id IN ($1, $2) AND hash = $3 LIMIT 1',
    [tenantId, DEFAULT_TENANT, hash],
  );
  return rows[0]?.body ?? null;
}
