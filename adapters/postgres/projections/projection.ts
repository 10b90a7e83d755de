import type pg from 'pg';
import type { StoredEvent } from '../../../domain/events/stored-event.ts';

/** `sequence` counts the events of a run over all its links, from 1. */
export type ProjectedEvent = StoredEvent & { sequence: number };

/** What is made of the events for readers, in tables of its own. */
export type Projection = {
  name: string;
  /** To be raised when it makes something else of events, in other tables, or of other types: it is then built again, beside the old. */
  version: number;
  meaning: string;
  /** All of its tables; each has a column `tenant_id`. */
  tables: readonly string[];
  /** Of the events that it reads; null is all. */
  types: readonly string[] | null;
  /**
   * Writes what the events make of the tables, with this client alone: it is committed together with the place reached.
   * `table` gives the name under which a table is to be written, as there may be another one that is being built.
   */
  apply: (client: pg.PoolClient, events: readonly ProjectedEvent[], table: (name: string) => string) => Promise<void>;
};

/** Read models that the feed writes in the transaction of the events, so that they never lag behind them. */
export const IN_FEED = {
  name: 'runs',
  version: 1,
  meaning: 'Runs and the executions of their nodes, as they are now; written with the events themselves.',
  tables: ['runs', 'node_executions'],
} as const;

/** Without a generation it is how all of them begin. */
export const subscriptionName = (projection: string, generation: number | ''): string =>
  `projection/${projection}/${generation}`;

/** A schema of its own keeps the names of tables and indexes, so that the swap leaves no trace. */
export const shadowSchema = (projection: string): string => `weft_build_${projection.replaceAll('-', '_')}`;
