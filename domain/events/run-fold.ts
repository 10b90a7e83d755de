import { AppError } from '../errors.ts';
import { isJsonObject } from '../json.ts';
import type { CompiledDefinition } from '../runs/compile.ts';
import type { MigratedTo } from '../runs/messages.ts';
import type { RunState } from '../runs/run-state.ts';
import { migratedState } from '../runs/versions/check-migration.ts';
import { foldRunEvent } from './fold-run.ts';
import type { StoredEvent } from './stored-event.ts';

type FoldedEvent = Pick<StoredEvent, 'type' | 'occurredAt' | 'payload'>;

/** A run between two events: its state, and the definition that it runs there. */
export type RunFold = { compiled: CompiledDefinition; state: RunState };

/** The version that a link of a run has taken up, when it is another than that of the link before. */
export function migrationOf({ type, payload }: Pick<StoredEvent, 'type' | 'payload'>): MigratedTo | null {
  if (type !== 'run.started' || !isJsonObject(payload) || !isJsonObject(payload['migrated'])) return null;
  return payload['migrated'] as unknown as MigratedTo;
}

/** As foldRunEvent, over changes of the version; `compiledOf` knows every definition by its hash. */
export function foldStored(
  fold: RunFold,
  stored: FoldedEvent,
  compiledOf: (hash: string) => CompiledDefinition | undefined,
): RunFold {
  const migration = migrationOf(stored);
  if (migration === null) return { ...fold, state: foldRunEvent(fold.compiled, fold.state, stored) };
  const compiled = compiledOf(migration.hash);
  if (compiled === undefined) throw new AppError('NOT_FOUND', { what: 'Definition', id: migration.hash });
  return { compiled, state: migratedState(fold.compiled, compiled, fold.state, migration) };
}
