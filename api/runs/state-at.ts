import { readDefinitionByHash } from '../../adapters/postgres/definition-store.ts';
import { readRunEvents } from '../../adapters/postgres/event-store.ts';
import type { JsonObject } from '../../domain/json.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import { evolve } from '../../domain/runs/evolve.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import { initialState, stateAsJson } from '../../domain/runs/run-state.ts';
import { runEventOf } from '../../domain/runs/stored-run-event.ts';
import type { RunsDeps } from './deps.ts';

const PAGE = 1000;

/** The state right after the event with this id, folded from the stored events; null where there is no such event. */
export async function stateAt(
  deps: Pick<RunsDeps, 'pool'>,
  run: RunRecord,
  eventId: number,
): Promise<JsonObject | null> {
  const published = await readDefinitionByHash(deps.pool, run.definitionHash);
  if (!published || eventId < 1) return null;
  const compiled = compileDefinition(published.definition);
  let state = initialState(compiled);
  for (let last = 0; last < eventId;) {
    const page = await readRunEvents(deps.pool, run.id, { after: last, first: Math.min(PAGE, eventId - last) });
    if (page.length === 0) return null;
    for (const stored of page) {
      const event = runEventOf(stored);
      if (event) state = evolve(compiled, state, event);
      last = stored.sequence;
    }
  }
  return stateAsJson(state);
}
