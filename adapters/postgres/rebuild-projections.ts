import type pg from 'pg';
import { ChangedExecutions } from '../../domain/events/changed-executions.ts';
import { followMigration } from '../../domain/events/follow-migration.ts';
import { foldStored, migrationOf, type RunFold } from '../../domain/events/run-fold.ts';
import { AppError } from '../../domain/errors.ts';
import { definitionHash } from '../../domain/identifiers.ts';
import { compileDefinition, type CompiledDefinition } from '../../domain/runs/compile.ts';
import { initialState } from '../../domain/runs/run-state.ts';
import { readDefinitionByHash } from './definition-store.ts';
import { ENGINE_VERSION } from './engine-version.ts';
import { spilledValues } from './large-values.ts';
import { createPayloadStore } from './payload-store.ts';
import { IN_FEED, shadowSchema } from './projections/projection.ts';
import { createShadowTables, readShadowMark, readShape, swapShadowTables } from './projections/shadow-tables.ts';
import { type NodeChange, nodeRow, type RunChange, runRow, updateRunRows, upsertNodeRows } from './read-models.ts';
import { runEvents } from './run-feed.ts';
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
    await prepareTables(guard);
    while ((await rebuildStale(rebuild, guard)) > 0);
    await inTransaction(
      pool,
      async (client) => {
        // In the order in which the feed takes them.
        await client.query('LOCK TABLE node_executions, runs IN ACCESS EXCLUSIVE MODE');
        await rebuildStale(rebuild, client);
        await forgetGone(client);
        await swapShadowTables(client, SCHEMA, IN_FEED.tables);
        await client.query(
          `UPDATE projections SET version = $2, generation = generation + 1, building = NULL, building_version = NULL,
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

/** What is there from before a kill is gone on with, where the same code has made it of the same tables. */
async function prepareTables(client: pg.PoolClient): Promise<void> {
  const mark = `${ENGINE_VERSION}/${await readShape(client, IN_FEED.tables)}`;
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
  await client.query(
    `INSERT INTO ${TABLES.runs} AS run (id, tenant_id, workflow_id, version, definition_hash, input, idempotency_key, created_at,
                               trigger_kind, trigger_id, trigger_source, trigger_depth, labels, priority,
                               parent_run_id, parent_node_id, parent_iteration, started_version, started_hash,
                               rerun_of, rerun, seed, implementations)
     SELECT id, tenant_id, workflow_id, version, definition_hash, input, idempotency_key, created_at,
            trigger_kind, trigger_id, trigger_source, trigger_depth, labels, priority,
            parent_run_id, parent_node_id, parent_iteration, started_version, started_hash,
            rerun_of, rerun, seed, implementations FROM runs
     ON CONFLICT (id) DO UPDATE
     SET version = excluded.version, definition_hash = excluded.definition_hash, input = excluded.input,
         priority = excluded.priority, started_version = excluded.started_version, started_hash = excluded.started_hash
     WHERE run.definition_hash <> excluded.definition_hash
        OR (run.event_count = 0 AND run.input::text <> excluded.input::text)`,
  );
  const { rows } = await client.query<StaleRun>(
    `SELECT run.id, run.tenant_id, coalesce(run.started_hash, run.definition_hash) AS definition_hash FROM ${TABLES.runs} run
     JOIN (SELECT run_id, max(sequence_base + version) AS events FROM event_streams WHERE run_id IS NOT NULL GROUP BY run_id)
       AS stored ON stored.run_id = run.id AND stored.events <> run.event_count`,
  );
  for (let start = 0; start < rows.length; start += BATCH_RUNS) {
    await rebuildBatch(rebuild, client, rows.slice(start, start + BATCH_RUNS));
    await rebuild.options.onProgress?.(Math.min(start + BATCH_RUNS, rows.length), rows.length);
    rebuild.options.signal?.throwIfAborted();
  }
  return rows.length;
}

type StaleRun = { id: string; tenant_id: string; definition_hash: string };

async function rebuildBatch(
  { pool, definitions, done }: Rebuild,
  client: pg.PoolClient,
  runs: readonly StaleRun[],
): Promise<void> {
  const spilled = spilledValues(client);
  const changes: RunChange[] = [];
  const nodes: NodeChange[] = [];
  for (const run of runs) {
    const compiled = await compiledOf(pool, run.definition_hash, definitions);
    let fold: RunFold = { compiled, state: initialState(compiled) };
    const changed = new ChangedExecutions(compiled, null, fold.state);
    let last: { streamId: string; sequence: number } | undefined;
    for await (const event of runEvents(pool, run.id)) {
      const before = fold;
      const migration = migrationOf(event);
      if (migration) await compiledOf(pool, migration.hash, definitions);
      fold = foldStored(fold, event, (hash) => definitions.get(hash));
      if (migration) followMigration(changed, before, fold, migration);
      else changed.folded(fold.state);
      last = event;
      done.events += 1;
    }
    if (!last) continue;
    const temporalRunId = last.streamId.slice(last.streamId.lastIndexOf('/') + 1);
    changes.push({ runId: run.id, temporalRunId, eventCount: last.sequence, state: fold.state });
    nodes.push(...changed.all().map((one) => ({ tenantId: run.tenant_id, runId: run.id, ...one })));
  }
  const nodeRows = nodes.map((change) => nodeRow(change, spilled));
  const runRows = changes.map((change) => runRow(change, spilled));
  await createPayloadStore(client).put(spilled);
  await client.query(`DELETE FROM ${TABLES.nodes} WHERE run_id = ANY($1)`, [runs.map(({ id }) => id)]);
  await upsertNodeRows(client, nodeRows, TABLES);
  await updateRunRows(client, runRows, TABLES);
  done.runs += changes.length;
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
