import type pg from 'pg';
import type { TenantId } from '../../domain/identifiers.ts';
import type { JsonObject } from '../../domain/json.ts';

export type KnowledgeDocument = {
  id: string;
  title: string;
  body: string;
  source: string | null;
  tags: string[];
  metadata: JsonObject;
  /** Counts changes. */
  revision: number;
  updatedAt: Date;
};
export type FoundDocument = Pick<KnowledgeDocument, 'id' | 'title' | 'source' | 'tags' | 'updatedAt'> & {
  /** What of it fits, the words marked by `**`. */
  excerpt: string;
  score: number;
};
type Database = Pick<pg.Pool, 'query'>;

const DOCUMENT = 'id, title, body, source, tags, metadata, revision, updated_at AS "updatedAt"';

/** Makes a document or changes it; the same again changes nothing. */
export async function upsertDocument(
  pool: Database,
  tenantId: TenantId,
  { id, title, body, source, tags, metadata }: Omit<KnowledgeDocument, 'revision' | 'updatedAt'>,
): Promise<{ document: KnowledgeDocument; changed: boolean }> {
  const values = [tenantId, id, title, body, source, tags, JSON.stringify(metadata)];
  const { rows } = await pool.query<KnowledgeDocument>(
    `INSERT INTO knowledge_documents AS known (tenant_id, id, title, body, source, tags, metadata)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (tenant_id, id) DO UPDATE SET title = $3, body = $4, source = $5, tags = $6, metadata = $7,
       revision = known.revision + 1, updated_at = date_trunc('milliseconds', now())
       WHERE (known.title, known.body, known.source, known.tags, known.metadata::jsonb)
         IS DISTINCT FROM ($3, $4, $5, $6::text[], $7::jsonb)
     RETURNING ${DOCUMENT}`,
    values,
  );
  if (rows[0]) return { document: rows[0], changed: true };
  return { document: (await readDocument(pool, tenantId, id)) as KnowledgeDocument, changed: false };
}

export async function readDocument(
  pool: Database,
  tenantId: TenantId,
  id: string,
): Promise<KnowledgeDocument | undefined> {
  const { rows } = await pool.query<KnowledgeDocument>(
    `SELECT ${DOCUMENT} FROM knowledge_documents WHERE tenant_id = $1 AND id = $2`,
    [tenantId, id],
  );
  return rows[0];
}

/** Those that fit best first; `query` is as people write it: words, "phrases", or, -not. */
export async function searchDocuments(
  pool: Database,
  tenantId: TenantId,
  { query, tags, first }: { query: string; tags: readonly string[]; first: number },
): Promise<FoundDocument[]> {
  const { rows } = await pool.query<FoundDocument>(
    `SELECT id, title, source, tags, updated_at AS "updatedAt", ts_rank_cd(words, asked)::float8 AS score,
       ts_headline('english', body, asked, 'StartSel=**, StopSel=**, MaxFragments=2, MaxWords=40, MinWords=15') AS excerpt
     FROM knowledge_documents,
       LATERAL (SELECT websearch_to_tsquery('english', $2) || websearch_to_tsquery('simple', $2) AS asked) AS parsed
     WHERE tenant_id = $1 AND words @@ asked AND tags @> $3::text[]
     ORDER BY score DESC, updated_at DESC, id LIMIT $4`,
    [tenantId, query, tags, first],
  );
  return rows;
}
