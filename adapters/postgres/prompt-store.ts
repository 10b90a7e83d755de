import type { TenantId } from '../../domain/identifiers.ts';
import type { Prompt, PromptContent } from '../../domain/models/prompt.ts';
import type { Queryable } from './payload-store.ts';
import type { Transaction } from './record-events.ts';

const COLUMNS = `name, version, hash, template, system, variables, description, created_by AS "createdBy", created_at AS "createdAt"`;

export type NewPrompt = PromptContent & { name: string; hash: string; description: string | null; by: string | null };

/** The same content as an existing version gives that version; anything else becomes the next one. */
export async function savePrompt(
  client: Transaction,
  tenantId: TenantId,
  { name, hash, template, system, variables, description, by }: NewPrompt,
): Promise<{ prompt: Prompt; isNew: boolean }> {
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`prompt/${tenantId}/${name}`]);
  const existing = await client.query<Prompt>(
    `SELECT ${COLUMNS} FROM prompts WHERE tenant_id = $1 AND name = $2 AND hash = $3`,
    [tenantId, name, hash],
  );
  if (existing.rows[0]) return { prompt: existing.rows[0], isNew: false };
  const { rows } = await client.query<Prompt>(
    `INSERT INTO prompts (tenant_id, name, version, hash, template, system, variables, description, created_by)
     SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5, $6, $7, $8 FROM prompts WHERE tenant_id = $1 AND name = $2
     RETURNING ${COLUMNS}`,
    [tenantId, name, hash, template, system, JSON.stringify(variables), description, by],
  );
  return { prompt: rows[0] as Prompt, isNew: true };
}

/** The given version, or the latest. */
export async function readPrompt(
  db: Queryable,
  tenantId: TenantId,
  name: string,
  version: number | null,
): Promise<Prompt | undefined> {
  const { rows } = await db.query<Prompt>(
    `SELECT ${COLUMNS} FROM prompts WHERE tenant_id = $1 AND name = $2 AND ($3::int IS NULL OR version = $3)
     ORDER BY version DESC LIMIT 1`,
    [tenantId, name, version],
  );
  return rows[0];
}

/** The latest version of each, by name. */
export async function listPrompts(db: Queryable, tenantId: TenantId): Promise<Prompt[]> {
  const { rows } = await db.query<Prompt>(
    `SELECT DISTINCT ON (name) ${COLUMNS} FROM prompts WHERE tenant_id = $1 ORDER BY name, version DESC`,
    [tenantId],
  );
  return rows;
}

/** Newest first. */
export async function listPromptVersions(
  db: Queryable,
  tenantId: TenantId,
  name: string,
  first: number,
): Promise<Prompt[]> {
  const { rows } = await db.query<Prompt>(
    `SELECT ${COLUMNS} FROM prompts WHERE tenant_id = $1 AND name = $2 ORDER BY version DESC LIMIT $3`,
    [tenantId, name, first],
  );
  return rows;
}
