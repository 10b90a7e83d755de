import { hash } from 'node:crypto';

/** What a link vouches for besides the payload. Times in microseconds since 1970. */
export type ChainedFields = {
  version: number;
  position: bigint;
  type: string;
  schemaVersion: number;
  occurredAt: bigint;
  recordedAt: bigint;
  eventId: string | null;
  correlationId: string | null;
  causationId: string | null;
};

/** An event whose link does not follow from the one before and from what the row says. */
export type BrokenEvent = { fields: ChainedFields; digest: string; link: string; previous: string };

const DIGEST_DIGITS = 64;
const KEPT_DIGITS = 8;

/** What the first link of a stream follows, so that no event fits into another stream. Links and digests are hexadecimal. */
export function chainStart(tenantId: string, streamId: string): string {
  return hash('sha256', `${tenantId}\0${streamId}`);
}

export const payloadDigest = (text: string): string => hash('sha256', text);

/** Text columns cannot hold NUL, so it parts them without doubt; `=` tells an empty id from none. */
export function nextLink(previous: string, fields: ChainedFields, digest: string): string {
  const { version, position, type, schemaVersion, occurredAt, recordedAt } = fields;
  const ids = `${given(fields.eventId)}\0${given(fields.correlationId)}\0${given(fields.causationId)}`;
  const text = `${previous}${digest}${version}\0${position}\0${type}\0${schemaVersion}\0${occurredAt}\0${recordedAt}\0${ids}`;
  return hash('sha256', text) + digest.slice(0, KEPT_DIGITS);
}

/** Whether a link was made over a payload with this digest, as far as the part of it that the link carries tells. */
export const vouchesFor = (link: string, digest: string): boolean =>
  link.slice(DIGEST_DIGITS) === digest.slice(0, KEPT_DIGITS);

export const microseconds = (time: Date): bigint => BigInt(time.getTime()) * 1000n;

const given = (id: string | null): string => (id === null ? '' : `=${id}`);
