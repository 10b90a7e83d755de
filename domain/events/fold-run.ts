import { isJsonObject } from '../json.ts';
import type { CompiledDefinition } from '../runs/compile.ts';
import { evolve } from '../runs/evolve.ts';
import { initialState, type RunState, type Slice } from '../runs/run-state.ts';
import { isClosed } from '../runs/run-status.ts';
import { runEventOf } from './run-event-of.ts';
import type { StoredEvent } from './stored-event.ts';

type FoldedEvent = Pick<StoredEvent, 'type' | 'occurredAt' | 'payload'>;

/**
 * The state after a stored event. A history that does not continue another one (the first, or one made by a reset) starts the
 * run afresh, and so does a further attempt at a run that has ended; one that continues carries the state on.
 */
export function foldRunEvent(compiled: CompiledDefinition, state: RunState, stored: FoldedEvent): RunState {
  const event = runEventOf(stored);
  if (!event) return state;
  const { payload } = stored;
  const continues = isJsonObject(payload) && 'continues' in payload && !isClosed(state.status);
  const afresh = event.type === 'run.started' && isJsonObject(payload) && !continues;
  if (!afresh) return evolve(compiled, state, event);
  const slice = (payload['slice'] ?? null) as Slice | null;
  return evolve(compiled, initialState(compiled, slice), event);
}
