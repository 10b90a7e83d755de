import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import type { Tampering, Verification } from '../../domain/events/verification.ts';
import {
  type BrokenEvent,
  type ChainedFields,
  chainStart,
  nextLink,
  payloadDigest,
  vouchesFor,
} from './event-chain.ts';
import { largeValueFaults } from './event-large-values.ts';
import { movedEvents } from './event-moves.ts';
import { archivePlaces, readArchivePlace } from './read-archived.ts';
import { verifyTenants } from './event-positions.ts';
import { inTransaction, SNAPSHOT } from './transaction.ts';

const STREAMS_A_SNAPSHOT = 100;
const EVENTS_A_PAGE = 2_000;

/** Which events: those of a run, of a tenant, or all. */
export type VerifyScope = { runId?: string; tenantId?: string };

/** Computes every link again and compares it with the stored one; nothing that others append meanwhile disturbs it. */
export async function verifyEvents(pool: pg.Pool, scope: VerifyScope): Promise<Verification> {
  const total: Verification = { streams: 0, events: 0, goneValues: 0, found: [] };
  for (let after: bigint | undefined = 0n; after !== undefined;) {
    const from: bigint = after;
    after = await inTransaction(pool, (client) => verifySome(client, scope, from, total), SNAPSHOT);
  }
  if (scope.runId === undefined) {
    total.found.push(...(await inTransaction(pool, (client) => verifyTenants(client, scope.tenantId), SNAPSHOT)));
  }
  return total;
}

type StreamRow = {
  stream_key: bigint;
  tenant_id: string;
  stream_id: string;
  run_id: string | null;
  version: number;
  head: string | null;
  archived: boolean;
};

/** Gives the key of the last stream that it saw; undefined when there is none after it. */
async function verifySome(
  client: pg.PoolClient,
  { runId, tenantId }: VerifyScope,
  after: bigint,
  total: Verification,
): Promise<bigint | undefined> {
  const { rows } = await client.query<StreamRow>(
    `SELECT stream_key, tenant_id, stream_id, version, encode(head_hash, 'hex') AS head, run_id, archived FROM event_streams
     WHERE stream_key > $1 AND ($2::text IS NULL OR run_id = $2) AND ($3::text IS NULL OR tenant_id = $3)
     ORDER BY stream_key LIMIT $4`,
    [after, runId ?? null, tenantId ?? null, STREAMS_A_SNAPSHOT],
  );
  for (const stream of rows) await verifyStream(client, stream, total);
  total.streams += rows.length;
  return rows.length < STREAMS_A_SNAPSHOT ? undefined : rows.at(-1)?.stream_key;
}

export type ChainedRow = ChainedFields & { payload: string; link: string };

async function verifyStream(client: pg.PoolClient, stream: StreamRow, total: Verification): Promise<void> {
  const broken: BrokenEvent[] = [];
  let previous: string | null = chainStart(stream.tenant_id, stream.stream_id);
  let last = 0;
  const report = (version: number | null, kind: Tampering['kind'], detail: string) =>
    total.found.push({ tenantId: stream.tenant_id, streamId: stream.stream_id, version, kind, detail });
  const unreadable = (detail: string) => report(null, 'REMOVED', detail);
  for await (const page of stream.archived
    ? archivedPages(client, stream, unreadable)
    : chainedPages(client, stream.stream_key)) {
    for (const { payload, link, ...fields } of page) {
      const digest = payloadDigest(payload);
      for (let missing = last + 1; missing < fields.version; missing += 1) {
        report(missing, 'REMOVED', 'there is no event with this version');
        previous = null;
      }
      if (fields.version > stream.version) {
        report(fields.version, 'INSERTED', `the stream ends with version ${stream.version}`);
      } else if (previous !== null && nextLink(previous, fields, digest) !== link) {
        broken.push({ fields, digest, link, previous });
      } else if (previous === null && !vouchesFor(link, digest)) {
        report(fields.version, 'PAYLOAD', 'the payload is not the one that was appended');
      }
      previous = link;
      last = fields.version;
    }
    total.events += page.length;
    const { gone, faults } = await largeValueFaults(client, page);
    total.goneValues += gone;
    for (const { version, detail } of faults) report(version, 'LARGE_VALUE', detail);
  }
  for (const { version, kind, detail } of movedEvents(broken)) report(version, kind, detail);
  if (last < stream.version) {
    report(stream.version, 'HEAD', `the stream was written up to version ${stream.version} and ends with ${last}`);
  } else if (last === stream.version && last > 0 && previous !== stream.head) {
    report(last, 'HEAD', 'the last event is not the one that the stream was left with');
  }
}

type Row = {
  version: number;
  position: bigint;
  type: string;
  schema_version: number;
  occurred_at: bigint;
  recorded_at: bigint;
  event_id: string | null;
  correlation_id: string | null;
  causation_id: string | null;
  payload: string;
  link: string;
};

/** The events of a stream that are in the table. */
export async function* chainedPages(client: pg.PoolClient, streamKey: bigint): AsyncGenerator<ChainedRow[]> {
  for (let after = 0, size = EVENTS_A_PAGE; size === EVENTS_A_PAGE;) {
    const { rows }: pg.QueryResult<Row> = await client.query<Row>(
      `SELECT version, position, type, schema_version, event_id, correlation_id, causation_id, payload::text AS payload,
              (extract(epoch FROM occurred_at) * 1000000)::bigint AS occurred_at,
              (extract(epoch FROM recorded_at) * 1000000)::bigint AS recorded_at, encode(hash, 'hex') AS link
       FROM events WHERE stream_key = $1 AND version > $2 ORDER BY version LIMIT $3`,
      [streamKey, after, EVENTS_A_PAGE],
    );
    yield rows.map((row) => ({
      version: row.version,
      position: row.position,
      type: row.type,
      schemaVersion: row.schema_version,
      occurredAt: row.occurred_at,
      recordedAt: row.recorded_at,
      eventId: row.event_id,
      correlationId: row.correlation_id,
      causationId: row.causation_id,
      payload: row.payload,
      link: row.link,
    }));
    size = rows.length;
    after = rows.at(-1)?.version ?? after;
  }
}

/** The events of a stream that is in an archive. */
async function* archivedPages(
  client: pg.PoolClient,
  { run_id: runId, stream_key: key }: StreamRow,
  unreadable: (detail: string) => void,
): AsyncGenerator<ChainedRow[]> {
  for (const place of await archivePlaces(client, runId ?? '')) {
    const run = await readArchivePlace(client, place).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'PAYLOAD_UNREADABLE') throw error;
      unreadable(`the archive ${place.file} is not readable as it was written`);
    });
    for (const { stream, events } of run?.streams ?? []) if (stream.streamKey === key) yield events;
  }
}
