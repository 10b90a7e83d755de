import type pg from 'pg';
import { REGISTRY_CHANNEL } from './supergraph-store.ts';

type Queryable = Pick<pg.Pool, 'query'>;

export type InstanceHealth = 'healthy' | 'unhealthy' | 'draining';
export type SubgraphInstance = {
  subgraph: string;
  instance: string;
  /** Null where it cannot know how others reach it. */
  url: string | null;
  host: string;
  sdlHash: string;
  health: InstanceHealth;
  /** Signed by the process; see sign-instance.ts. */
  proof: string | null;
  startedAt: Date;
  seenAt: Date;
  expiresAt: Date;
};
export type InstanceBeat = Omit<SubgraphInstance, 'startedAt' | 'seenAt' | 'expiresAt'>;

export const BEAT_MS = 10_000;
const EXPIRES_MS = 35_000;

/** Gateways hear of it when there is something new to hear. */
export async function beat(pool: Queryable, one: InstanceBeat): Promise<void> {
  await pool.query(
    `WITH known AS (SELECT url, sdl_hash, health FROM subgraph_instances WHERE subgraph = $1 AND instance = $2),
     told AS (
       INSERT INTO subgraph_instances AS row (subgraph, instance, url, host, sdl_hash, health, proof, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + make_interval(secs => $8))
       ON CONFLICT (subgraph, instance) DO UPDATE SET
         (url, host, sdl_hash, health, proof, expires_at, seen_at)
           = ROW (excluded.url, excluded.host, excluded.sdl_hash, excluded.health, excluded.proof, excluded.expires_at, clock_timestamp())
       RETURNING url, sdl_hash, health
     )
     SELECT pg_notify('${REGISTRY_CHANNEL}', '') FROM told
     WHERE NOT EXISTS (SELECT FROM known WHERE (known.*) IS NOT DISTINCT FROM (told.*))`,
    [one.subgraph, one.instance, one.url, one.host, one.sdlHash, one.health, one.proof, EXPIRES_MS / 1000],
  );
}

export async function leave(pool: Queryable, subgraph: string, instance: string): Promise<void> {
  await pool.query(
    `WITH gone AS (DELETE FROM subgraph_instances WHERE (subgraph = $1 AND instance = $2) OR expires_at < now() - interval '1 hour'
       RETURNING 1)
     SELECT pg_notify('${REGISTRY_CHANNEL}', '') FROM gone LIMIT 1`,
    [subgraph, instance],
  );
}

/** Those that have been heard of lately, latest started first. */
export async function listInstances(pool: Queryable): Promise<SubgraphInstance[]> {
  const { rows } = await pool.query<SubgraphInstance>(
    `SELECT subgraph, instance, url, host, sdl_hash AS "sdlHash", health, proof, started_at AS "startedAt", seen_at AS "seenAt",
       expires_at AS "expiresAt"
     FROM subgraph_instances WHERE expires_at > clock_timestamp() ORDER BY subgraph, started_at DESC, instance`,
  );
  return rows;
}
