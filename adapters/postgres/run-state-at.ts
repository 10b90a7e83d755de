import type pg from 'pg';
import { foldStored, migrationOf, type RunFold } from '../../domain/events/run-fold.ts';
import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import { initialState, stateAsJson } from '../../domain/runs/run-state.ts';
import { type CompiledDefinitions, createCompiledDefinitions } from './compiled-definitions.ts';
import { runEvents } from './run-feed.ts';

/**
 * The state of a run right after the event with this sequence; 0 is before the first, and beyond the last is the last known.
 * @throws NOT_FOUND
 */
export async function readRunStateAt(pool: pg.Pool, runId: string, sequence: number): Promise<Json> {
  return stateAsJson((await readStateOf(pool, runId, createCompiledDefinitions(pool), sequence)).state);
}

/** As the engine has it, with the definition that it runs there. @throws NOT_FOUND */
export async function readStateOf(
  pool: pg.Pool,
  runId: string,
  definitions: CompiledDefinitions,
  sequence = Infinity,
): Promise<RunFold> {
  const { rows } = await pool.query<{ hash: string }>(
    'SELECT coalesce(started_hash, definition_hash) AS hash FROM runs WHERE id = $1',
    [runId],
  );
  if (!rows[0]) throw new AppError('NOT_FOUND', { what: 'Run', id: runId });
  const compiled = await definitions.read(rows[0].hash);
  let fold: RunFold = { compiled, state: initialState(compiled) };
  for await (const event of runEvents(pool, runId, sequence)) {
    const migration = migrationOf(event);
    if (migration) await definitions.read(migration.hash);
    fold = foldStored(fold, event, definitions.known);
  }
  return fold;
}
