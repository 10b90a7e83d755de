import type pg from 'pg';
import { foldRunEvent } from '../../domain/events/fold-run.ts';
import { AppError } from '../../domain/errors.ts';
import { type DefinitionHash, definitionHash } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import { type CompiledDefinition, compileDefinition } from '../../domain/runs/compile.ts';
import { initialState, type RunState, stateAsJson } from '../../domain/runs/run-state.ts';
import { readDefinitionByHash } from './definition-store.ts';
import { runEvents } from './run-feed.ts';

type Compiled = (hash: DefinitionHash) => Promise<CompiledDefinition>;

/**
 * The state of a run right after the event with this sequence; 0 is before the first, and beyond the last is the last known.
 * @throws NOT_FOUND
 */
export async function readRunStateAt(pool: pg.Pool, runId: string, sequence: number): Promise<Json> {
  const compiled: Compiled = async (hash) => {
    const published = await readDefinitionByHash(pool, hash);
    if (!published) throw new AppError('NOT_FOUND', { what: 'Run', id: runId });
    return compileDefinition(published.definition);
  };
  return stateAsJson((await readStateOf(pool, runId, compiled, sequence)).state);
}

/** As the engine has it, with the definition that it runs there. @throws NOT_FOUND */
export async function readStateOf(
  pool: pg.Pool,
  runId: string,
  compiledOf: Compiled,
  sequence = Infinity,
): Promise<{ compiled: CompiledDefinition; state: RunState }> {
  const { rows } = await pool.query<{ definition_hash: string }>('SELECT definition_hash FROM runs WHERE id = $1', [
    runId,
  ]);
  if (!rows[0]) throw new AppError('NOT_FOUND', { what: 'Run', id: runId });
  const compiled = await compiledOf(definitionHash(rows[0].definition_hash));
  let state = initialState(compiled);
  for await (const event of runEvents(pool, runId, sequence)) state = foldRunEvent(compiled, state, event);
  return { compiled, state };
}
