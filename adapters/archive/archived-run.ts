import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { AppError } from '../../domain/errors.ts';
import type { ChainedFields } from '../postgres/event-chain.ts';

const compress = promisify(gzip);
const decompress = promisify(gunzip);
const FORMAT = 'weft-events/1';

export type ArchivedStream = {
  streamId: string;
  streamKey: bigint;
  /** Of Temporal's run. */
  temporalRunId: string | null;
  sequenceBase: number;
  version: number;
  /** The link of the last event. */
  head: string;
};
export type ArchivedEvent = ChainedFields & { payload: string; link: string };
/** The events of a run as the table had them, stream by stream in the order of their sequences. */
export type ArchivedRun = {
  tenantId: string;
  runId: string;
  streams: { stream: ArchivedStream; events: ArchivedEvent[] }[];
};

/** A gzip member of its own, so that it is found and read alone, and a file of many of them is still one for zcat. */
export async function encodeArchivedRun({ tenantId, runId, streams }: ArchivedRun): Promise<Buffer> {
  const header = { format: FORMAT, tenantId, runId, streams: streams.map(({ stream }) => stream) };
  const lines = [JSON.stringify(header, bigintAsText)];
  for (const [index, { events }] of streams.entries()) {
    for (const event of events) lines.push(lineOf(index, event));
  }
  return compress(`${lines.join('\n')}\n`);
}

/** Of one member, or of a whole file. @throws AppError PAYLOAD_UNREADABLE */
export async function decodeArchivedRuns(bytes: Uint8Array): Promise<ArchivedRun[]> {
  const runs: ArchivedRun[] = [];
  try {
    const text = (await decompress(bytes)).toString();
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const value: unknown = JSON.parse(line);
      if (Array.isArray(value)) {
        const [index, event] = eventOf(value as Line);
        (runs.at(-1) as ArchivedRun).streams[index]?.events.push(event);
      } else runs.push(runOf(value as Header));
    }
    return runs;
  } catch (error) {
    throw new AppError('PAYLOAD_UNREADABLE', { keyId: 'archive', detail: (error as Error).message }, error);
  }
}

export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

type Header = {
  format: string;
  tenantId: string;
  runId: string;
  streams: (Omit<ArchivedStream, 'streamKey'> & { streamKey: string })[];
};
/** The stream, then the fields in the order of the chain. Numbers that JSON could not give back whole are texts. */
type Line = [
  ...[stream: number, version: number, position: string, type: string, schemaVersion: number],
  ...[occurredAt: string, recordedAt: string, eventId: string | null, correlationId: string | null],
  ...[causationId: string | null, payload: string, link: string],
];

function lineOf(stream: number, event: ArchivedEvent): string {
  const { version, position, type, schemaVersion, occurredAt, recordedAt, eventId, correlationId, causationId } = event;
  const ids = [eventId, correlationId, causationId] as const;
  const line: Line = [
    ...([stream, version, String(position), type, schemaVersion, String(occurredAt), String(recordedAt)] as const),
    ...ids,
    event.payload,
    event.link,
  ];
  return JSON.stringify(line);
}

function eventOf(line: Line): [number, ArchivedEvent] {
  const [stream, version, position, type, schemaVersion, occurredAt, recordedAt, ...rest] = line;
  const [eventId, correlationId, causationId, payload, link] = rest;
  const times = { occurredAt: BigInt(occurredAt), recordedAt: BigInt(recordedAt) };
  const ids = { eventId, correlationId, causationId };
  return [stream, { version, position: BigInt(position), type, schemaVersion, ...times, ...ids, payload, link }];
}

function runOf({ format, tenantId, runId, streams }: Header): ArchivedRun {
  if (format !== FORMAT) throw new AppError('INPUT_INVALID', { detail: `${format} is not ${FORMAT}` });
  return {
    tenantId,
    runId,
    streams: streams.map((stream) => ({ stream: { ...stream, streamKey: BigInt(stream.streamKey) }, events: [] })),
  };
}

const bigintAsText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
