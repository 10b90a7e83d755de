import type { DocumentNode } from 'graphql';
import type { createPool } from '../../adapters/postgres/pool.ts';

/** What the operations of the registry work on. */
export type RegistryDeps = {
  /** Sees every tenant: all of them have the same graph. */
  pool: ReturnType<typeof createPool>;
  /** What is served where nothing has been published yet: the subgraph of this process. */
  own: { name: string; document: DocumentNode };
};
