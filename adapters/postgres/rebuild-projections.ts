import type pg from 'pg';
import { ChangedExecutions } from '../../domain/events/changed-executions.ts';
import { followMigration } from '../../domain/events/follow-migration.ts';
import { foldStored, migrationOf, type RunFold } from '../../domain/events/run-fold.ts';
import { AppError } from '../../domain/errors.ts';
import { definitionHash } from '../../domain/identifiers.ts';
import { compileDefinition, type CompiledDefinition } from '../../domain/runs/compile.ts';
import { initialState } from '../../domain/runs/run-state.ts';
import { readDefinitionByHash } from './definition-store.ts';
import { spilledValues } from './large-values.ts';
import { createPayloadStore } from './payload-store.ts';
import { type NodeChange, nodeRow, type RunChange, runRow, updateRunRows, upsertNodeRows } from './read-models.ts';
import { runEvents } from './run-feed.ts';
import { BEGIN_AS_OWNER, inTransaction } from './transaction.ts';

export type Rebuilt = { runs: number; events: number };

/** A schema of its own keeps the names of tables and indexes, so that the swap leaves no trace. */
const SCHEMA = 'weft_rebuild';
const TABLES = { runs: `${SCHEMA}.runs`, nodes: `${SCHEMA}.node_executions` };
const BATCH_RUNS = 100;

/**
 * Folds every stored event again into new tables beside the old and swaps them in one transaction. Runs may start and move
 * meanwhile; what moved is folded once more, the last of it while writers wait.
 */
export async function rebuildProjections(pool: pg.Pool): Promise<Rebuilt> {
  const guard = await pool.connect();
  const done: Rebuilt = { runs: 0, events: 0 };
  const definitions = new Map<string, CompiledDefinition>();
  try {
    await guard.query(`SELECT pg_advisory_lock(hashtextextended('${SCHEMA}', 0))`);
    await guard.query('SET ROLE NONE');
    await createTables(guard);
    while ((await rebuildStale(pool, guard, definitions, done)) > 0);
    await inTransaction(
      pool,
      async (client) => {
        // In the order in which the feed takes them.
        await client.query('LOCK TABLE node_executions, runs IN ACCESS EXCLUSIVE MODE');
        await rebuildStale(pool, client, definitions, done);
        await client.query(`DROP TABLE node_executions, runs`);
        await client.query(`DO $$ BEGIN
        EXECUTE format('ALTER TABLE ${TABLES.runs} SET SCHEMA %I', current_schema());
        EXECUTE format('ALTER TABLE ${TABLES.nodes} SET SCHEMA %I', current_schema());
      END $$`);
        await client.query(`DROP SCHEMA ${SCHEMA}; SELECT weft_protect('runs'), weft_protect('node_executions')`);
      },
      BEGIN_AS_OWNER,
    );
    return done;
  } finally {
    // Takes the lock and the owner's rights along.
    guard.release(true);
  }
}

/** Columns, options and indexes as they are now, under the same names. */
async function createTables(client: pg.PoolClient): Promise<void> {
  await client.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE; CREATE SCHEMA ${SCHEMA}`);
  for (const table of ['runs', 'node_executions']) {
    await client.query(
      `CREATE TABLE ${SCHEMA}.${table} (LIKE ${table} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS
                                        INCLUDING STORAGE INCLUDING COMMENTS)`,
    );
    await client.query(`DO $$
      DECLARE index record; options text;
      BEGIN
        SELECT array_to_string(reloptions, ', ') INTO options FROM pg_class WHERE oid = '${table}'::regclass;
        IF options IS NOT NULL THEN EXECUTE 'ALTER TABLE ${SCHEMA}.${table} SET (' || options || ')'; END IF;
        FOR index IN SELECT indexrelid::regclass::text AS name, indisprimary, pg_get_indexdef(indexrelid) AS definition
                     FROM pg_index WHERE indrelid = '${table}'::regclass LOOP
          EXECUTE regexp_replace(index.definition, ' ON \\S+ USING', ' ON ${SCHEMA}.${table} USING');
          IF index.indisprimary THEN
            EXECUTE format('ALTER TABLE ${SCHEMA}.${table} ADD PRIMARY KEY USING INDEX %I', index.name);
          END IF;
        END LOOP;
      END $$`);
  }
}

/** Copies the rows that are missing and folds the runs whose events the new tables do not have yet. Returns how many. */
async function rebuildStale(
  pool: pg.Pool,
  client: pg.PoolClient,
  definitions: Map<string, CompiledDefinition>,
  done: Rebuilt,
): Promise<number> {
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
    await rebuildBatch(pool, client, rows.slice(start, start + BATCH_RUNS), definitions, done);
  }
  return rows.length;
}

type StaleRun = { id: string; tenant_id: string; definition_hash: string };

async function rebuildBatch(
  pool: pg.Pool,
  client: pg.PoolClient,
  runs: readonly StaleRun[],
  definitions: Map<string, CompiledDefinition>,
  done: Rebuilt,
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
