import {
  type ArchivedEvent,
  type ArchivedRun,
  type ArchivedStream,
  decodeArchivedRuns,
  sha256,
} from '../archive/archived-run.ts';
import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import type { EventRow } from './event-rows.ts';
import { archiveOf } from './payload-storage.ts';
import type { Queryable } from './payload-store.ts';

/** Where events of a run are. */
export type ArchivePlace = { file: string; starts: bigint; bytes: number; sha256: Buffer; firstPosition: bigint };
const PLACE = `file, starts, bytes, sha256, first_position AS "firstPosition"`;
const RUNS_AT_ONCE = 200;

/** The parts of a run that are archived and have events after this sequence, in order. */
export async function archivePlaces(db: Queryable, runId: string, after = 0): Promise<ArchivePlace[]> {
  const { rows } = await db.query<ArchivePlace>(
    `SELECT ${PLACE} FROM event_archives WHERE run_id = $1 AND last_sequence > $2 ORDER BY first_sequence`,
    [runId, after],
  );
  return rows;
}

/** @throws AppError PAYLOAD_UNREADABLE, SETUP_INCOMPLETE */
export async function readArchivePlace(
  db: Queryable,
  { file, starts, bytes, sha256: sum }: ArchivePlace,
): Promise<ArchivedRun> {
  const read = await archiveOf(db).read(file, Number(starts), bytes);
  if (read === undefined || !sha256(read).equals(sum)) {
    throw new AppError('PAYLOAD_UNREADABLE', { keyId: 'archive', detail: `${file} is ${read ? 'changed' : 'gone'}` });
  }
  const [run] = await decodeArchivedRuns(read);
  return run as ArchivedRun;
}

/** Archived events of a run after a sequence, in order. */
export async function readArchivedRun(
  db: Queryable,
  runId: string,
  { after, first }: { after: number; first: number },
): Promise<EventRow[]> {
  const found: EventRow[] = [];
  for (const place of await archivePlaces(db, runId, after)) {
    const run = await readArchivePlace(db, place);
    found.push(...archivedRows(run).filter(({ sequence }) => sequence > after));
    if (found.length >= first) break;
  }
  return found.slice(0, first);
}

type Part = {
  tenantId: string;
  after: bigint;
  upTo: bigint;
  first: number;
  partition: number;
  partitions: number;
  types: readonly string[] | null;
};

/** Archived events of a tenant in the order of their positions, at most `first`. */
export async function readArchivedPart(db: Queryable, part: Part): Promise<EventRow[]> {
  let found: EventRow[] = [];
  for (let from = -1n; ;) {
    const { rows } = await db.query<ArchivePlace>(
      `SELECT ${PLACE} FROM event_archives
       WHERE tenant_id = $1 AND last_position > $2 AND first_position <= $3 AND first_position > $4
       ORDER BY first_position LIMIT $5`,
      [part.tenantId, part.after, part.upTo, from, RUNS_AT_ONCE],
    );
    for (const place of rows) {
      // What comes next begins beyond all that the page can hold.
      if (found.length >= part.first && place.firstPosition > (found[part.first - 1] as EventRow).position)
        return found.slice(0, part.first);
      found = [...found, ...(await matching(db, await readArchivePlace(db, place), part))].sort(byPosition);
    }
    if (rows.length < RUNS_AT_ONCE) return found.slice(0, part.first);
    from = (rows.at(-1) as ArchivePlace).firstPosition;
  }
}

export const byPosition = (left: EventRow, right: EventRow): number => (left.position < right.position ? -1 : 1);

async function matching(db: Queryable, run: ArchivedRun, part: Part): Promise<EventRow[]> {
  const { rows } = await db.query<{ key: bigint }>(
    'SELECT key FROM unnest($1::bigint[]) AS key WHERE (hashint8(key) & 2147483647) % $2 = $3',
    [run.streams.map(({ stream }) => stream.streamKey), part.partitions, part.partition],
  );
  const keys = new Set(rows.map(({ key }) => key));
  const streams = run.streams.filter(({ stream }) => keys.has(stream.streamKey));
  return archivedRows({ ...run, streams }).filter(
    ({ position, type }) =>
      position > part.after && position <= part.upTo && (part.types === null || part.types.includes(type)),
  );
}

/** Its events as the table has them. */
export function archivedRows({ tenantId, runId, streams }: ArchivedRun): EventRow[] {
  return streams.flatMap(({ stream, events }) => events.map((event) => rowOf(tenantId, runId, stream, event)));
}

function rowOf(tenantId: string, runId: string, stream: ArchivedStream, event: ArchivedEvent): EventRow {
  return {
    tenant_id: tenantId,
    stream_id: stream.streamId,
    version: event.version,
    position: event.position,
    event_id: event.eventId,
    type: event.type,
    schema_version: event.schemaVersion,
    occurred_at: new Date(Number(event.occurredAt / 1000n)),
    recorded_at: new Date(Number(event.recordedAt / 1000n)),
    correlation_id: event.correlationId ?? runId,
    causation_id: event.causationId,
    payload: JSON.parse(event.payload) as Json,
    sequence: stream.sequenceBase + event.version,
  };
}
