import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import { foldStored, migrationOf, type RunFold } from '../../domain/events/run-fold.ts';
import type { StoredEvent } from '../../domain/events/stored-event.ts';
import type { CompiledDefinition } from '../../domain/runs/compile.ts';
import { initialState, type RunState } from '../../domain/runs/run-state.ts';
import { type CompiledDefinitions, createCompiledDefinitions, type SharedDefinitions } from './compiled-definitions.ts';
import { readRunEvents, type RunStoredEvent } from './event-store.ts';
import type { Queryable } from './payload-store.ts';

const PAGE = 2_000;

/** The events of a run, page by page. */
export async function* runEvents(
  pool: Queryable,
  runId: string,
  upTo = Infinity,
  from = 0,
): AsyncGenerator<RunStoredEvent> {
  for (let after = from; after < upTo;) {
    const first = Math.min(PAGE, upTo - after);
    const page = await readRunEvents(pool, runId, { after, first });
    yield* page;
    if (page.length < first) return;
    after = (page.at(-1) as RunStoredEvent).sequence;
  }
}

/** How far one link of a run has been read. */
export type FeedLink = {
  temporalRunId: string;
  sequenceBase: number;
  version: number;
  token: Uint8Array | null;
  ended: boolean;
};

/** A run as the projector holds it: what it folds with, the state so far and where to read on. */
export type RunFeed = {
  runId: string;
  tenantId: string;
  /** Whose values its events hold. */
  subject: string | null;
  shard: number;
  compiled: CompiledDefinition;
  definitions: CompiledDefinitions;
  state: RunState;
  /** Null before the first event. */
  link: FeedLink | null;
};

type LinkRow = {
  temporal_run_id: string;
  sequence_base: number;
  version: number;
  next_page_token: Buffer | null;
  closed: boolean;
};

/** Folds again what is stored; `onEvent` sees the events of the latest link. Undefined for a run that is not ours. */
export async function loadRunFeed(
  pool: pg.Pool,
  runId: string,
  onEvent: (event: StoredEvent) => void,
  shared?: SharedDefinitions,
): Promise<RunFeed | undefined> {
  const { rows } = await pool.query<{
    tenant_id: string;
    definition_hash: string;
    shard: number;
    subject: string | null;
  }>(
    'SELECT tenant_id, subject, coalesce(started_hash, definition_hash) AS definition_hash, shard FROM runs WHERE id = $1',
    [runId],
  );
  const run = rows[0];
  const definitions = createCompiledDefinitions(pool, shared);
  const compiled = run && (await readUnlessUnknown(definitions, run.definition_hash));
  if (!compiled) return undefined;
  const links = await pool.query<LinkRow>(
    `SELECT temporal_run_id, sequence_base, version, next_page_token, closed FROM event_streams
     WHERE run_id = $1 ORDER BY sequence_base DESC, stream_key DESC LIMIT 1`,
    [runId],
  );
  const row = links.rows[0];
  let fold: RunFold = { compiled, state: initialState(compiled) };
  const upTo = row ? row.sequence_base + row.version : 0;
  if (upTo > 0) {
    for await (const event of runEvents(pool, runId, upTo)) {
      const migration = migrationOf(event);
      if (migration) await definitions.read(migration.hash);
      fold = foldStored(fold, event, definitions.known);
      if (event.sequence > (row as LinkRow).sequence_base) onEvent(event);
    }
  }
  const { tenant_id: tenantId, subject, shard } = run;
  return { runId, tenantId, subject, shard, definitions, ...fold, link: row ? linkOf(row) : null };
}

async function readUnlessUnknown(
  definitions: CompiledDefinitions,
  hash: string,
): Promise<CompiledDefinition | undefined> {
  return definitions.read(hash).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  });
}

const linkOf = (row: LinkRow): FeedLink => ({
  temporalRunId: row.temporal_run_id,
  sequenceBase: row.sequence_base,
  version: row.version,
  token: row.next_page_token,
  ended: row.closed,
});
