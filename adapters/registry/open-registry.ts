import { listenTo } from '../postgres/listen-to.ts';
import { createPool } from '../postgres/pool.ts';
import { listInstances, type SubgraphInstance } from './subgraph-instances.ts';
import { readSupergraph, REGISTRY_CHANNEL, servedVersion, type StoredSupergraph } from './supergraph-store.ts';

/** What gateways read. */
export type Registry = {
  /** Version 0 where nothing has been published. */
  served(): Promise<number>;
  read(): Promise<StoredSupergraph | null>;
  instances(): Promise<SubgraphInstance[]>;
  /** Calls when something may have changed, and whenever the connection comes back. */
  listen(onChange: () => void): void;
  close(): Promise<void>;
};

const CONNECTIONS = 2;
const TIMEOUT_MS = 5_000;
const MISSING_TABLE = '42P01';

export function openRegistry(databaseUrl: string): Registry {
  const bounds = { connectionTimeoutMillis: TIMEOUT_MS, query_timeout: TIMEOUT_MS, idleTimeoutMillis: 60_000 };
  const pool = createPool(databaseUrl, CONNECTIONS, undefined, 'system', bounds);
  let listener: { close: () => Promise<void> } | undefined;
  return {
    served: () => beforeMigration(servedVersion(pool), 0),
    read: () => beforeMigration(readSupergraph(pool), null),
    instances: () => beforeMigration(listInstances(pool), []),
    listen(onChange) {
      listener ??= listenTo(databaseUrl, REGISTRY_CHANNEL, { onNotification: onChange, onLost: () => undefined });
    },
    async close() {
      await listener?.close();
      await pool.end();
    },
  };
}

/** A database that nobody has brought up to date yet has no registry. */
async function beforeMigration<Result>(query: Promise<Result>, nothing: Result): Promise<Result> {
  try {
    return await query;
  } catch (error) {
    if ((error as { code?: string }).code === MISSING_TABLE) return nothing;
    throw error;
  }
}
