import type pg from 'pg';
import { ChangedExecutions } from '../../domain/events/changed-executions.ts';
import { followMigration } from '../../domain/events/follow-migration.ts';
import { foldStored, migrationOf, type RunFold } from '../../domain/events/run-fold.ts';
import { AppError } from '../../domain/errors.ts';
import { definitionHash } from '../../domain/identifiers.ts';
import { compileDefinition, type CompiledDefinition } from '../../domain/runs/compile.ts';
import { initialState, type RunState } from '../../domain/runs/run-state.ts';
import { readDefinitionByHash } from './definition-store.ts';
import { ENGINE_VERSION } from './engine-version.ts';
import { spilledValues } from './large-values.ts';
import { createPayloadStore } from './payload-store.ts';
import { IN_FEED, shadowSchema } from './projections/projection.ts';
import { createShadowTables, readShadowMark, readShape, swapShadowTables } from './projections/shadow-tables.ts';
import { type HistoryEvent, readRunHistories } from './read-run-histories.ts';
import { type NodeChange, nodeRow, type RunChange, runRow, updateRunRows, upsertNodeRows } from './read-models.ts';
import { BEGIN_AS_OWNER, inTransaction } from './transaction.ts';

export type Rebuilt = { runs: number; events: number };
type Options = {
  /** Runs of the present round. */
  onProgress?: (done: number, total: number) => Promise<void>;
  /** Ends it between two batches; the next call goes on. */
  signal?: AbortSignal;
};

const SCHEMA = shadowSchema(IN_FEED.name);
const TABLES = { runs: `${SCHEMA}.runs`, nodes: `${SCHEMA}.node_executions` };
const LOCK = `hashtextextended('${SCHEMA}', 0)`;
const BATCH_RUNS = 100;
const BATCH_EVENTS = 10_000;
const NODE_COLUMNS = `tenant_id, run_id, node_id, iteration, ordinal, type, status, attempts, input, output, error, started_at,
  closed_at, port, handled, reused_from`;

/**
 * Folds every stored event again into new tables beside the old and swaps them in one transaction. Runs may start and move
 * meanwhile; what moved is folded once more, the last of it while writers wait. After a kill the next call goes on where it was.
 * Null while another process is at it.
 */
export async function rebuildProjections(pool: pg.Pool, options: Options = {}): Promise<Rebuilt | null> {
  const guard = await pool.connect();
  const rebuild: Rebuild = { pool, done: { runs: 0, events: 0 }, definitions: new Map(), options };
  try {
    const { rows } = await guard.query<{ locked: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS locked`);
    if (!rows[0]?.locked) return null;
    await guard.query('SET ROLE NONE');
    const building = await announce(guard);
    await prepareTables(guard, building);
    while ((await rebuildStale(rebuild, guard)) > 0);
    await inTransaction(
      pool,
      async (client) => {
        await demandStill(client, building);
        // In the order in which the feed takes them.
        await client.query('LOCK TABLE node_executions, runs IN ACCESS EXCLUSIVE MODE');
        await rebuildStale(rebuild, client);
        await forgetGone(client);
        await swapShadowTables(client, SCHEMA, IN_FEED.tables);
        await client.query(
          `UPDATE projections SET version = $2, generation = building, building = NULL, building_version = NULL,
                building_since = NULL, done = NULL, total = NULL, built_at = now(), error = NULL, failed_at = NULL WHERE name = $1`,
          [IN_FEED.name, IN_FEED.version],
        );
      },
      BEGIN_AS_OWNER,
    );
    return rebuild.done;
  } finally {
    await guard.query(`SELECT pg_advisory_unlock(${LOCK})`).catch(() => undefined);
    // Takes the owner's rights along.
    guard.release(true);
  }
}

/** Whoever looks at the projections sees it. Gives the number of the build, which is another one when it has to begin anew. */
async function announce(client: pg.PoolClient): Promise<number> {
  const { rows } = await client.query<{ building: number }>(
    `INSERT INTO projections AS stored (name, version, generation, built_at, building, building_version, building_since)
     VALUES ($1, $2, 1, now(), 2, $2, now())
     ON CONFLICT (name) DO UPDATE
     SET building = coalesce(stored.building, stored.generation + 1), building_version = excluded.building_version,
         building_since = coalesce(stored.building_since, now())
     RETURNING building`,
    [IN_FEED.name, IN_FEED.version],
  );
  return (rows[0] as { building: number }).building;
}

/** Values may have been erased that the new tables still have. */
async function demandStill(client: pg.PoolClient, building: number): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM projections WHERE name = $1 AND building = $2 FOR UPDATE', [
    IN_FEED.name,
    building,
  ]);
  if (rowCount === 0)
    throw new AppError('VERSION_CONFLICT', {
      ...{ streamId: `projection/${IN_FEED.name}`, expectedVersion: building, actualVersion: 'another' },
    });
}

/** What is there from before a kill is gone on with, where the same code has made it of the same tables. */
async function prepareTables(client: pg.PoolClient, building: number): Promise<void> {
  const mark = `${building}/${ENGINE_VERSION}/${await readShape(client, IN_FEED.tables)}`;
  if ((await readShadowMark(client, SCHEMA)) === mark) return;
  await client.query('BEGIN');
  await createShadowTables(client, SCHEMA, IN_FEED.tables, mark);
  await client.query('COMMIT');
}

/** Runs that were deleted while the others were folded. */
async function forgetGone(client: pg.PoolClient): Promise<void> {
  await client.query(
    `WITH gone AS (
       DELETE FROM ${TABLES.runs} run WHERE NOT EXISTS (SELECT FROM runs WHERE runs.id = run.id) RETURNING id
     ) DELETE FROM ${TABLES.nodes} WHERE run_id IN (SELECT id FROM gone)`,
  );
}

type Rebuild = {
  pool: pg.Pool;
  done: Rebuilt;
  definitions: Map<string, CompiledDefinition>;
  options: Options;
};

/** Copies the rows that are missing and folds the runs whose events the new tables do not have yet. Returns how many. */
async function rebuildStale(rebuild: Rebuild, client: pg.PoolClient): Promise<number> {
  const given = await givenColumns(client);
  await client.query(
    `INSERT INTO ${TABLES.runs} AS run (${given.join(', ')}) SELECT ${given.join(', ')} FROM runs
     ON CONFLICT (id) DO UPDATE
     SET version = excluded.version, definition_hash = excluded.definition_hash, input = excluded.input,
         priority = excluded.priority, started_version = excluded.started_version, started_hash = excluded.started_hash
     WHERE run.definition_hash <> excluded.definition_hash
        OR (run.event_count = 0 AND run.input::text <> excluded.input::text)`,
  );
  const { rows } = await client.query<StaleRun>(
    `SELECT run.id, run.tenant_id, coalesce(run.started_hash, run.definition_hash) AS definition_hash, stored.events, stored.link
     FROM ${TABLES.runs} run
     JOIN (SELECT run_id, max(sequence_base + version) AS events,
                  (array_agg(temporal_run_id ORDER BY sequence_base + version DESC))[1] AS link
           FROM event_streams WHERE run_id IS NOT NULL AND version > 0 GROUP BY run_id)
       AS stored ON stored.run_id = run.id AND stored.events <> run.event_count`,
  );
  const batches = batchesOf(rows);
  let done = 0;
  let next = readBatch(rebuild, batches[0]);
  for (const [index, batch] of batches.entries()) {
    const histories = await next;
    // The next one is read while this one is folded and written.
    next = readBatch(rebuild, batches[index + 1]);
    await rebuildBatch(rebuild, client, batch, histories);
    done += batch.length;
    await rebuild.options.onProgress?.(done, rows.length);
    rebuild.options.signal?.throwIfAborted();
  }
  return rows.length;
}

/** Of a run, those that no event says: whatever there is but for what the fold writes. */
async function givenColumns(client: pg.PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT quote_ident(attname) AS name FROM pg_attribute
     WHERE attrelid = 'runs'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname <> ALL($1)`,
    [['status', 'output', 'error', 'started_at', 'closed_at', 'temporal_run_id', 'event_count', 'paused']],
  );
  return rows.map(({ name }) => name);
}

type StaleRun = { id: string; tenant_id: string; definition_hash: string; events: number; link: string };
type Histories = Map<string, HistoryEvent[]>;

/** Of as many runs as have about so many events together. */
function batchesOf(runs: readonly StaleRun[]): StaleRun[][] {
  const batches: StaleRun[][] = [];
  let events = Infinity;
  for (const run of runs) {
    if (events + run.events > BATCH_EVENTS || batches.at(-1)?.length === BATCH_RUNS) {
      batches.push([]);
      events = 0;
    }
    batches.at(-1)?.push(run);
    events += run.events;
  }
  return batches;
}

function readBatch({ pool }: Rebuild, batch: readonly StaleRun[] | undefined): Promise<Histories> {
  const reading =
    batch === undefined
      ? Promise.resolve(new Map())
      : readRunHistories(
          pool,
          batch.map(({ id }) => id),
        );
  // It is waited for later, or never when the batch before fails.
  reading.catch(() => undefined);
  return reading;
}

async function rebuildBatch(
  rebuild: Rebuild,
  client: pg.PoolClient,
  runs: readonly StaleRun[],
  histories: Histories,
): Promise<void> {
  const spilled = spilledValues(client);
  const changes: RunChange[] = [];
  const nodes: NodeChange[] = [];
  const kept: string[] = [];
  for (const run of runs) {
    const history = histories.get(run.id) ?? [];
    if (history[0]?.sequence !== 1) kept.push(run.id);
    else {
      const { state, changed } = await foldHistory(rebuild, run, history);
      changes.push({ runId: run.id, temporalRunId: run.link, eventCount: run.events, state });
      for (const one of changed.all()) nodes.push({ tenantId: run.tenant_id, runId: run.id, ...one });
      rebuild.done.events += run.events;
    }
  }
  const nodeRows = nodes.map((change) => nodeRow(change, spilled));
  const runRows = changes.map((change) => runRow(change, spilled));
  await createPayloadStore(client).put(spilled);
  await client.query(`DELETE FROM ${TABLES.nodes} WHERE run_id = ANY($1)`, [runs.map(({ id }) => id)]);
  await upsertNodeRows(client, nodeRows, TABLES);
  await updateRunRows(client, runRows, TABLES);
  await keepRows(client, kept);
  rebuild.done.runs += runs.length;
}

async function foldHistory(
  { pool, definitions }: Rebuild,
  run: StaleRun,
  history: readonly HistoryEvent[],
): Promise<{ state: RunState; changed: ChangedExecutions }> {
  const compiled = await compiledOf(pool, run.definition_hash, definitions);
  let fold: RunFold = { compiled, state: initialState(compiled) };
  const changed = new ChangedExecutions(compiled, null, fold.state);
  for (const event of history) {
    const before = fold;
    const migration = migrationOf(event);
    if (migration) await compiledOf(pool, migration.hash, definitions);
    fold = foldStored(fold, event, (hash) => definitions.get(hash));
    if (migration) followMigration(changed, before, fold, migration);
    else changed.folded(fold.state);
  }
  return { state: fold.state, changed };
}

/** Of runs whose events are no longer here, the rows are all that there is. */
async function keepRows(client: pg.PoolClient, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await client.query(
    `UPDATE ${TABLES.runs} AS run
     SET status = old.status, output = old.output, error = old.error, started_at = old.started_at, closed_at = old.closed_at,
         temporal_run_id = old.temporal_run_id, event_count = stored.events, paused = old.paused
     FROM runs old
     JOIN (SELECT run_id, max(sequence_base + version) AS events FROM event_streams WHERE run_id = ANY($1) GROUP BY run_id)
       AS stored ON stored.run_id = old.id
     WHERE run.id = old.id`,
    [runIds],
  );
  await client.query(
    `INSERT INTO ${TABLES.nodes} (${NODE_COLUMNS}) SELECT ${NODE_COLUMNS} FROM node_executions WHERE run_id = ANY($1)`,
    [runIds],
  );
}

async function compiledOf(
  pool: pg.Pool,
  hash: string,
  definitions: Map<string, CompiledDefinition>,
): Promise<CompiledDefinition> {
  const known = definitions.get(hash);
  if (known) return known;
  const published = await readDefinitionByHash(pool, definitionHash(hash));
  if (!published) throw new AppError('NOT_FOUND', { what: 'Definition', id: hash });
  const compiled = compileDefinition(published.definition);
  definitions.set(hash, compiled);
  return compiled;
}
