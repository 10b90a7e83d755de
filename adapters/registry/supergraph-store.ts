import type pg from 'pg';
import type { SchemaChange } from '../federation/schema-changes.ts';

type Queryable = Pick<pg.Pool, 'query'>;

export const REGISTRY_CHANNEL = 'weft_registry';

export type PublishedSubgraph = { name: string; hash: string; url: string | null };
export type SupergraphVersion = {
  version: number;
  hash: string;
  subgraphs: PublishedSubgraph[];
  /** Whose publishing made it, or who rolled back. */
  subgraph: string;
  kind: 'seed' | 'publish' | 'rollback';
  rolledBackTo: number | null;
  changes: SchemaChange[];
  forced: boolean;
  note: string | null;
  publishedBy: string | null;
  publishedAt: Date;
};
export type StoredSupergraph = SupergraphVersion & { supergraphSdl: string };
export type NewSupergraph = Omit<StoredSupergraph, 'version' | 'publishedAt'>;

const VIEW = `version, hash, subgraphs, subgraph, kind, rolled_back_to AS "rolledBackTo", changes, forced, note,
  published_by AS "publishedBy", published_at AS "publishedAt"`;
const WITH_SDL = `${VIEW}, supergraph_sdl AS "supergraphSdl"`;

/** Newest first. */
export async function listSupergraphs(pool: Queryable, first: number, before?: number): Promise<SupergraphVersion[]> {
  const { rows } = await pool.query<SupergraphVersion>(
    `SELECT ${VIEW} FROM supergraph_versions WHERE $2::int IS NULL OR version < $2 ORDER BY version DESC LIMIT $1`,
    [first, before ?? null],
  );
  return rows;
}

/** The one that is served where no version is named. */
export async function readSupergraph(pool: Queryable, version?: number): Promise<StoredSupergraph | null> {
  const { rows } = await pool.query<StoredSupergraph>(
    `SELECT ${WITH_SDL} FROM supergraph_versions WHERE $1::int IS NULL OR version = $1 ORDER BY version DESC LIMIT 1`,
    [version ?? null],
  );
  return rows[0] ?? null;
}

/** 0 where nothing has been published. */
export async function servedVersion(pool: Queryable): Promise<number> {
  const { rows } = await pool.query<{ version: number }>(
    'SELECT coalesce(max(version), 0) AS version FROM supergraph_versions',
  );
  return rows[0]?.version ?? 0;
}

export async function readSubgraphSdl(pool: Queryable, subgraph: string, hash: string): Promise<string | null> {
  const { rows } = await pool.query<{ sdl: string }>(
    'SELECT sdl FROM subgraph_schemas WHERE subgraph = $1 AND hash = $2',
    [subgraph, hash],
  );
  return rows[0]?.sdl ?? null;
}

/** One publishes after the other, until the end of the transaction; gives the version that is served, 0 for none. */
export async function lockSupergraph(client: Queryable): Promise<number> {
  await client.query(`SELECT pg_advisory_xact_lock(hashtext('weft supergraph'))`);
  return servedVersion(client);
}

export async function insertSdl(client: Queryable, subgraph: string, hash: string, sdl: string): Promise<void> {
  await client.query('INSERT INTO subgraph_schemas (subgraph, hash, sdl) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
    subgraph,
    hash,
    sdl,
  ]);
}

/** Inside of the transaction that holds the lock. Gateways hear of it when that commits. */
export async function insertSupergraph(client: Queryable, next: NewSupergraph): Promise<SupergraphVersion> {
  const { rows } = await client.query<SupergraphVersion>(
    `INSERT INTO supergraph_versions (version, hash, supergraph_sdl, subgraphs, subgraph, kind, rolled_back_to, changes, forced, note,
       published_by)
     SELECT coalesce(max(version), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM supergraph_versions
     RETURNING ${VIEW}`,
    [
      next.hash,
      next.supergraphSdl,
      JSON.stringify(next.subgraphs),
      next.subgraph,
      next.kind,
      next.rolledBackTo,
      JSON.stringify(next.changes),
      next.forced,
      next.note,
      next.publishedBy,
    ],
  );
  await client.query(`SELECT pg_notify('${REGISTRY_CHANNEL}', '')`);
  return rows[0] as SupergraphVersion;
}

/** Whether it was part of a version at any time. */
export async function isPublished(pool: Queryable, subgraph: string, hash: string): Promise<boolean> {
  return (await readSubgraphSdl(pool, subgraph, hash)) !== null;
}
