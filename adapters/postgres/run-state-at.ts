import type pg from 'pg';
import { foldStored, migrationOf, type RunFold } from '../../domain/events/run-fold.ts';
import { type SnapshotPolicy, SnapshotMeter, STANDARD_SNAPSHOTS } from '../../domain/events/snapshot-meter.ts';
import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import type { MigratedTo } from '../../domain/runs/messages.ts';
import { initialState, stateAsJson } from '../../domain/runs/run-state.ts';
import { type CompiledDefinitions, createCompiledDefinitions } from './compiled-definitions.ts';
import type { RunStoredEvent } from './event-store.ts';
import { runEvents } from './run-feed.ts';
import { readSnapshot, writeSnapshot } from './run-snapshots.ts';

/** A run right after an event; 0 is before the first. */
export type RunPoint = RunFold & { sequence: number; definitionHash: string };
export type RunStep = { event: RunStoredEvent; migration: MigratedTo | null; point: RunPoint };
/** Whoever folds far keeps states on the way, so that nobody folds as far again. */
type Reading = { snapshots?: SnapshotPolicy };

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
  { snapshots = STANDARD_SNAPSHOTS }: Reading = {},
): Promise<RunPoint> {
  let point = await startingPoint(pool, runId, definitions, sequence);
  const meter = new SnapshotMeter(snapshots);
  for await (const step of foldOn(pool, runId, definitions, point, sequence)) {
    ({ point } = step);
    if (meter.after(step.event)) await keep(pool, runId, point);
  }
  return point;
}

/** Every step from a point on, up to the event with this sequence. */
export async function* foldOn(
  pool: pg.Pool,
  runId: string,
  definitions: CompiledDefinitions,
  from: RunPoint,
  upTo: number,
): AsyncGenerator<RunStep> {
  let point = from;
  for await (const event of runEvents(pool, runId, upTo, from.sequence)) {
    const migration = migrationOf(event);
    if (migration) await definitions.read(migration.hash);
    const definitionHash = migration?.hash ?? point.definitionHash;
    point = { ...foldStored(point, event, definitions.known), sequence: event.sequence, definitionHash };
    yield { event, migration, point };
  }
}

async function startingPoint(
  pool: pg.Pool,
  runId: string,
  definitions: CompiledDefinitions,
  upTo: number,
): Promise<RunPoint> {
  const { rows } = await pool.query<{ hash: string }>(
    'SELECT coalesce(started_hash, definition_hash) AS hash FROM runs WHERE id = $1',
    [runId],
  );
  if (!rows[0]) throw new AppError('NOT_FOUND', { what: 'Run', id: runId });
  const snapshot = await readSnapshot(pool, runId, upTo);
  if (snapshot) return { ...snapshot, compiled: await definitions.read(snapshot.definitionHash) };
  const compiled = await definitions.read(rows[0].hash);
  return { compiled, state: initialState(compiled), sequence: 0, definitionHash: rows[0].hash };
}

/** A snapshot only saves time: who cannot write one reads all the same. */
async function keep(pool: pg.Pool, runId: string, { sequence, definitionHash, state }: RunPoint): Promise<void> {
  await writeSnapshot(pool, runId, { sequence, definitionHash, state }).catch(() => false);
}
