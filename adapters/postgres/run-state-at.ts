import type pg from 'pg';
import { foldRunEvent } from '../../domain/events/fold-run.ts';
import { AppError } from '../../domain/errors.ts';
import { definitionHash } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import { initialState, stateAsJson } from '../../domain/runs/run-state.ts';
import { readDefinitionByHash } from './definition-store.ts';
import { runEvents } from './run-feed.ts';

/**
 * The state of a run right after the event with this sequence; 0 is before the first, and beyond the last is the last known.
 * @throws NOT_FOUND
 */
export async function readRunStateAt(pool: pg.Pool, runId: string, sequence: number): Promise<Json> {
  const { rows } = await pool.query<{ definition_hash: string }>('SELECT definition_hash FROM runs WHERE id = $1', [
    runId,
  ]);
  const published = rows[0] && (await readDefinitionByHash(pool, definitionHash(rows[0].definition_hash)));
  if (!published) throw new AppError('NOT_FOUND', { what: 'Run', id: runId });
  const compiled = compileDefinition(published.definition);
  let state = initialState(compiled);
  for await (const event of runEvents(pool, runId, sequence)) state = foldRunEvent(compiled, state, event);
  return stateAsJson(state);
}
