import type pg from 'pg';
import {
  definitionHash,
  tenantId,
  workflowId,
  type DefinitionHash,
  type TenantId,
  type WorkflowId,
} from '../../domain/identifiers.ts';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import type { PublishedDefinition } from '../../domain/runs/run-record.ts';
import { recordWithin } from './record-events.ts';
import { inTransaction } from './transaction.ts';
import type { Queryable } from './payload-store.ts';

export type DefinitionPage = { rows: PublishedDefinition[]; totalCount: number; hasNextPage: boolean };

type Row = {
  tenant_id: string;
  workflow_id: string;
  version: number;
  hash: string;
  definition: WorkflowDefinition;
  created_at: Date;
  deprecated_at: Date | null;
  deprecation_reason: string | null;
};
const COLUMNS = 'tenant_id, workflow_id, version, hash, definition, created_at, deprecated_at, deprecation_reason';
/** Deprecated ones come after the others. */
const LATEST = '(deprecated_at IS NOT NULL), version DESC';

export type NewDefinition = {
  tenantId: TenantId;
  hash: DefinitionHash;
  definition: WorkflowDefinition;
  by?: string | null;
};

/** The same content as an existing version gives that version; anything else becomes the next one, and is recorded. */
export async function publishDefinition(
  pool: pg.Pool,
  { tenantId, hash, definition, by = null }: NewDefinition,
): Promise<PublishedDefinition> {
  const key = [tenantId, definition.name];
  const same = `SELECT ${COLUMNS} FROM definitions WHERE tenant_id = $1 AND workflow_id = $2 AND hash = $3`;
  return inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`definition/${key.join('/')}`]);
    const existing = await client.query<Row>(same, [...key, hash]);
    if (existing.rows[0]) return fromRow(existing.rows[0]);
    const inserted = await client.query<Row>(
      `INSERT INTO definitions (tenant_id, workflow_id, version, hash, definition)
       SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4 FROM definitions WHERE tenant_id = $1 AND workflow_id = $2
       RETURNING ${COLUMNS}`,
      [...key, hash, canonicalJson(definition)],
    );
    const published = fromRow(inserted.rows[0] as Row);
    await recordWithin(client, tenantId, [definitionEvent('definition.published', published, by)]);
    return published;
  });
}

type DefinitionChange = 'definition.published' | 'definition.undeprecated';
const definitionEvent = (type: DefinitionChange, changed: PublishedDefinition, by: string | null): SystemEvent => ({
  type,
  id: changed.workflowId,
  payload: { ...versionOf(changed), by },
});
const versionOf = ({ workflowId, version, hash }: PublishedDefinition) => ({ workflowId, version, hash });

/** The given version, or the latest that is not deprecated; where all are, the latest. */
export async function readDefinition(
  pool: pg.Pool,
  tenantId: TenantId,
  workflowId: WorkflowId,
  version?: number,
): Promise<PublishedDefinition | undefined> {
  const { rows } = await pool.query<Row>(
    `SELECT ${COLUMNS} FROM definitions WHERE tenant_id = $1 AND workflow_id = $2 AND ($3::int IS NULL OR version = $3)
     ORDER BY ${LATEST} LIMIT 1`,
    [tenantId, workflowId, version ?? null],
  );
  return rows[0] && fromRow(rows[0]);
}

export async function readDefinitionByHash(
  pool: Queryable,
  hash: DefinitionHash,
): Promise<PublishedDefinition | undefined> {
  const { rows } = await pool.query<Row>(`SELECT ${COLUMNS} FROM definitions WHERE hash = $1 LIMIT 1`, [hash]);
  return rows[0] && fromRow(rows[0]);
}

/** Those of the given versions that exist, in no order. */
export async function readDefinitionVersions(
  pool: pg.Pool,
  tenantId: TenantId,
  versions: readonly Pick<PublishedDefinition, 'workflowId' | 'version'>[],
): Promise<PublishedDefinition[]> {
  const { rows } = await pool.query<Row>(
    `SELECT ${COLUMNS} FROM definitions
     WHERE tenant_id = $1 AND (workflow_id, version) IN (SELECT * FROM unnest($2::text[], $3::int[]))`,
    [tenantId, versions.map(({ workflowId }) => workflowId), versions.map(({ version }) => version)],
  );
  return rows.map(fromRow);
}

export type VersionListing = { tenantId: TenantId; workflowId: WorkflowId; first: number; before: number | undefined };

/** Newest first; `before` is the version that the page comes after. */
export async function listVersions(pool: pg.Pool, listing: VersionListing): Promise<DefinitionPage> {
  const { tenantId, workflowId, first, before } = listing;
  const [page, count] = await Promise.all([
    pool.query<Row>(
      `SELECT ${COLUMNS} FROM definitions WHERE tenant_id = $1 AND workflow_id = $2 AND ($3::int IS NULL OR version < $3)
       ORDER BY version DESC LIMIT $4`,
      [tenantId, workflowId, before ?? null, first + 1],
    ),
    pool.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM definitions WHERE tenant_id = $1 AND workflow_id = $2',
      [tenantId, workflowId],
    ),
  ]);
  return {
    rows: page.rows.slice(0, first).map(fromRow),
    totalCount: count.rows[0]?.count ?? 0,
    hasNextPage: page.rows.length > first,
  };
}

/** Undefined when there is no such version. Deprecating again keeps the first moment. */
export async function setDeprecation(
  pool: pg.Pool,
  { tenantId, workflowId, version }: Pick<PublishedDefinition, 'tenantId' | 'workflowId' | 'version'>,
  deprecation: { reason: string | null } | null,
  by: string | null,
): Promise<PublishedDefinition | undefined> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<Row>(
      `UPDATE definitions
       SET deprecated_at = CASE WHEN $4 THEN coalesce(deprecated_at, date_trunc('milliseconds', now())) END, deprecation_reason = $5
       WHERE tenant_id = $1 AND workflow_id = $2 AND version = $3 RETURNING ${COLUMNS}`,
      [tenantId, workflowId, version, deprecation !== null, deprecation?.reason ?? null],
    );
    const changed = rows[0] && fromRow(rows[0]);
    if (changed) await recordWithin(client, tenantId, [deprecationEvent(changed, by)]);
    return changed;
  });
}

function deprecationEvent(changed: PublishedDefinition, by: string | null): SystemEvent {
  if (changed.deprecation === null) return definitionEvent('definition.undeprecated', changed, by);
  const payload = { ...versionOf(changed), by, reason: changed.deprecation.reason };
  return { type: 'definition.deprecated', id: changed.workflowId, payload };
}

export type DefinitionListing = {
  tenantId: TenantId;
  first: number;
  /** The workflow id (name) after which the page begins. */
  after?: string | undefined;
  /** Part of the name, case ignored. */
  name?: string | undefined;
};

/** Versions that counterfactual runs were made of are listed only when a part of the name is asked for. */
const LISTED = `($2::text IS NOT NULL OR workflow_id NOT LIKE '%-what-if' OR coalesce(definition->>'description', '') NOT LIKE 'What if: %')`;

/** The latest version of each workflow that is not deprecated, by name; where all are, the latest. */
export async function listDefinitions(pool: pg.Pool, listing: DefinitionListing): Promise<DefinitionPage> {
  const { tenantId, first, after, name } = listing;
  const pattern = name === undefined ? null : `%${name.replace(/[\\%_]/g, '\\$&')}%`;
  const [page, count] = await Promise.all([
    pool.query<Row>(
      `SELECT DISTINCT ON (workflow_id) ${COLUMNS} FROM definitions
       WHERE tenant_id = $1 AND ($2::text IS NULL OR workflow_id ILIKE $2) AND ($3::text IS NULL OR workflow_id > $3) AND ${LISTED}
       ORDER BY workflow_id, ${LATEST} LIMIT $4`,
      [tenantId, pattern, after ?? null, first + 1],
    ),
    pool.query<{ count: number }>(
      `SELECT count(DISTINCT workflow_id)::int AS count FROM definitions
       WHERE tenant_id = $1 AND ($2::text IS NULL OR workflow_id ILIKE $2) AND ${LISTED}`,
      [tenantId, pattern],
    ),
  ]);
  return {
    rows: page.rows.slice(0, first).map(fromRow),
    totalCount: count.rows[0]?.count ?? 0,
    hasNextPage: page.rows.length > first,
  };
}

function fromRow(row: Row): PublishedDefinition {
  return {
    tenantId: tenantId(row.tenant_id),
    workflowId: workflowId(row.workflow_id),
    version: row.version,
    hash: definitionHash(row.hash),
    definition: row.definition,
    createdAt: row.created_at,
    deprecation: row.deprecated_at && { at: row.deprecated_at, reason: row.deprecation_reason },
  };
}
