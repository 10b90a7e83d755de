import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { ArchiveFiles } from '../archive/archive-files.ts';
import { type ArchivedRun, decodeArchivedRuns, encodeArchivedRun, sha256 } from '../archive/archived-run.ts';
import { verifyArchivedRun } from '../archive/verify-archive.ts';
import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import { readStreamsToArchive, runsToArchive } from './archivable-runs.ts';
import { referencesIn } from './large-values.ts';
import { archiveOf } from './payload-storage.ts';
import { BEGIN_AS_OWNER, inTransaction } from './transaction.ts';

export type ArchiveOptions = {
  /** Runs that closed before it. */
  closedBefore: Date;
  /** Says what would be archived, and changes nothing. */
  dryRun?: boolean;
  /** At most. */
  runsAFile?: number;
  /** Ends it between two files. */
  signal?: AbortSignal;
};
export type Archived = { runs: number; events: number; bytes: number; files: number };

const LOCK = `hashtextextended('weft event archive', 0)`;
const RUNS_A_FILE = 200;
const BYTES_A_FILE = 32 * 1024 * 1024;

/**
 * Moves events of closed runs into files. A run's events leave the table in the transaction that says where they are now, after the
 * file was read back and its chain computed again. Null while another process is at it.
 */
export async function archiveEvents(pool: pg.Pool, options: ArchiveOptions): Promise<Archived | null> {
  const files = archiveOf(pool);
  const most = options.runsAFile ?? RUNS_A_FILE;
  const guard = await pool.connect();
  const done: Archived = { runs: 0, events: 0, bytes: 0, files: 0 };
  try {
    const { rows } = await guard.query<{ locked: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS locked`);
    if (!rows[0]?.locked) return null;
    if (!options.dryRun) await removeUnused(pool, files);
    for (let after: string | undefined = ''; after !== undefined && !options.signal?.aborted;) {
      const chosen = await runsToArchive(pool, { closedBefore: options.closedBefore, after, most });
      for (const [tenantId, runs] of Map.groupBy(chosen, (run) => run.tenantId)) {
        if (options.dryRun) {
          done.runs += runs.length;
          done.events += runs.reduce((sum, { events }) => sum + events, 0);
        } else await archiveRuns(pool, files, { tenantId, runIds: runs.map(({ runId }) => runId) }, done);
      }
      after = chosen.length < most ? undefined : chosen.at(-1)?.runId;
    }
    return done;
  } finally {
    // Takes the lock along.
    guard.release(true);
  }
}

type Member = { run: ArchivedRun; starts: number; bytes: Buffer };

async function archiveRuns(
  pool: pg.Pool,
  files: ArchiveFiles,
  { tenantId, runIds }: { tenantId: string; runIds: readonly string[] },
  done: Archived,
): Promise<void> {
  let members: Member[] = [];
  let size = 0;
  const flush = async () => {
    if (members.length > 0) await storeFile(pool, files, tenantId, members, done);
    members = [];
    size = 0;
  };
  for (const runId of runIds) {
    const run = await readStreamsToArchive(pool, tenantId, runId);
    if (run.streams.length === 0) continue;
    // What is broken stays where it can be looked at.
    if (verifyArchivedRun(run).length > 0) continue;
    const bytes = await encodeArchivedRun(run);
    members.push({ run, starts: size, bytes });
    size += bytes.length;
    if (size >= BYTES_A_FILE) await flush();
  }
  await flush();
}

async function storeFile(
  pool: pg.Pool,
  files: ArchiveFiles,
  tenantId: string,
  members: readonly Member[],
  done: Archived,
): Promise<void> {
  const day = new Date().toISOString().slice(0, 10);
  const name = `${encodeURIComponent(tenantId)}/${day}-${randomUUID()}.jsonl.gz`;
  await pool.query('INSERT INTO event_archive_files (tenant_id, name, location) VALUES ($1, $2, $3)', [
    ...[tenantId, name, files.location],
  ]);
  await files.write(name, Buffer.concat(members.map(({ bytes }) => bytes)));
  for (const { starts, bytes, run } of members) {
    const read = await files.read(name, starts, bytes.length);
    const [again] = read && sha256(read).equals(sha256(bytes)) ? await decodeArchivedRuns(read) : [];
    if (again?.runId !== run.runId || verifyArchivedRun(again).length > 0) {
      const detail = `${name} was not read back as it was written`;
      throw new AppError('PAYLOAD_STORE_UNAVAILABLE', { location: files.location, detail });
    }
  }
  for (const member of members) {
    const events = await inTransaction(pool, (client) => moveRun(client, name, member), BEGIN_AS_OWNER);
    if (events === 0) continue;
    done.runs += 1;
    done.events += events;
    done.bytes += member.bytes.length;
  }
  done.files += 1;
}

/** Gives how many events left the table; 0 when the run is no longer as it was written to the file. */
async function moveRun(client: pg.PoolClient, file: string, { run, starts, bytes }: Member): Promise<number> {
  const { tenantId, runId, streams } = run;
  const keys = streams.map(({ stream }) => stream.streamKey);
  const locked = await client.query<{ same: boolean }>(
    `SELECT stream.closed AND NOT stream.archived AND stream.version = given.version
              AND stream.head_hash = decode(given.head, 'hex') AS same
     FROM event_streams stream JOIN unnest($1::bigint[], $2::int[], $3::text[]) AS given(stream_key, version, head) USING (stream_key)
     ORDER BY stream.tenant_id, stream.stream_id FOR UPDATE OF stream`,
    [keys, streams.map(({ stream }) => stream.version), streams.map(({ stream }) => stream.head)],
  );
  if (locked.rows.length !== keys.length || locked.rows.some(({ same }) => !same)) return 0;
  const events = streams.flatMap((one) => one.events);
  const positions = events.map(({ position }) => position).sort((left, right) => (left < right ? -1 : 1));
  const times = events.map(({ recordedAt }) => recordedAt).sort((left, right) => (left < right ? -1 : 1));
  await client.query(
    `INSERT INTO event_archives (tenant_id, run_id, first_sequence, last_sequence, first_position, last_position, events, file,
                                 starts, bytes, sha256, large_values)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      ...[tenantId, runId, ...sequencesOf(run), positions[0], positions.at(-1), events.length, file, starts],
      ...[bytes.length, sha256(bytes), JSON.stringify(largeValuesOf(run))],
    ],
  );
  await client.query('UPDATE event_streams SET archived = true WHERE stream_key = ANY($1)', [keys]);
  await client.query(`SET LOCAL weft.archiving = 'on'`);
  const { rowCount } = await client.query(
    `DELETE FROM events WHERE stream_key = ANY($1) AND recorded_at BETWEEN $2 AND $3`,
    [keys, timeOf(times[0]), timeOf(times.at(-1))],
  );
  if (rowCount !== events.length) {
    throw new AppError('INTERNAL', {
      detail: `${events.length} events of ${runId} are in ${file}, ${rowCount} in the table`,
    });
  }
  return events.length;
}

function sequencesOf({ streams }: ArchivedRun): [number, number] {
  const [first, last] = [streams[0], streams.at(-1)];
  return [(first?.stream.sequenceBase ?? 0) + 1, (last?.stream.sequenceBase ?? 0) + (last?.stream.version ?? 0)];
}

/** As pointers, so that whoever looks for what is in use finds them. */
function largeValuesOf({ streams }: ArchivedRun): { $payload: string }[] {
  const found = streams.flatMap(({ events }) =>
    events.flatMap(({ payload }) => (payload.includes('"$payload"') ? referencesIn(JSON.parse(payload) as Json) : [])),
  );
  return [...new Set(found)].map((hash) => ({ $payload: hash }));
}

/** Microseconds go beyond what a Date holds. */
const timeOf = (microseconds = 0n): string => {
  const seconds = microseconds / 1_000_000n;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${String(microseconds % 1_000_000n).padStart(6, '0')}Z`;
};

/** Files that a crash left without a run, or whose runs were all restored. */
async function removeUnused(pool: pg.Pool, files: ArchiveFiles): Promise<void> {
  const { rows } = await pool.query<{ tenant_id: string; name: string }>(
    `SELECT tenant_id, name FROM event_archive_files file WHERE location = $1
       AND NOT EXISTS (SELECT FROM event_archives one WHERE one.tenant_id = file.tenant_id AND one.file = file.name)`,
    [files.location],
  );
  for (const { tenant_id: tenantId, name } of rows) {
    await files.remove(name);
    await pool.query('DELETE FROM event_archive_files WHERE tenant_id = $1 AND name = $2', [tenantId, name]);
  }
}
