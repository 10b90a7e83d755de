import type { EventRow } from './event-rows.ts';
import type { Queryable } from './payload-store.ts';
import { type ArchivePlace, archivedRows, readArchivePlace } from './read-archived.ts';

export type ArchivedRange = {
  tenantId: string;
  after: bigint;
  upTo: bigint;
  first: number;
  newestFirst: boolean;
  /** Null: of every run. */
  runId: string | null;
  matches: (row: EventRow) => boolean;
};
type Place = ArchivePlace & { lastPosition: bigint };

const RUNS_AT_ONCE = 200;

/** Archived events of a tenant in a range of positions, from either end of it, at most `first`. */
export async function readArchivedRange(db: Queryable, range: ArchivedRange): Promise<EventRow[]> {
  const { after, upTo, first, newestFirst, matches } = range;
  const edgeOf = ({ firstPosition, lastPosition }: Place) => (newestFirst ? lastPosition : firstPosition);
  const isBefore = (left: bigint, right: bigint) => (newestFirst ? left > right : left < right);
  let found: EventRow[] = [];
  for (let edge: bigint | null = null; ;) {
    const places = await placesIn(db, range, edge);
    for (const place of places) {
      const last = found[first - 1];
      // What comes next begins beyond all that the page can hold.
      if (last !== undefined && isBefore(last.position, edgeOf(place))) return found.slice(0, first);
      const rows = archivedRows(await readArchivePlace(db, place));
      const inRange = rows.filter((row) => row.position > after && row.position <= upTo && matches(row));
      found = [...found, ...inRange].sort((left, right) => (isBefore(left.position, right.position) ? -1 : 1));
    }
    if (places.length < RUNS_AT_ONCE) return found.slice(0, first);
    edge = edgeOf(places.at(-1) as Place);
  }
}

async function placesIn(
  db: Queryable,
  { tenantId, after, upTo, newestFirst, runId }: ArchivedRange,
  edge: bigint | null,
): Promise<Place[]> {
  const order = newestFirst
    ? 'AND ($5::bigint IS NULL OR last_position < $5) ORDER BY last_position DESC'
    : 'AND ($5::bigint IS NULL OR first_position > $5) ORDER BY first_position';
  const { rows } = await db.query<Place>(
    `SELECT file, starts, bytes, sha256, first_position AS "firstPosition", last_position AS "lastPosition" FROM event_archives
     WHERE tenant_id = $1 AND last_position > $2 AND first_position <= $3 AND ($4::text IS NULL OR run_id = $4) ${order} LIMIT $6`,
    [tenantId, after, upTo, runId, edge, RUNS_AT_ONCE],
  );
  return rows;
}
