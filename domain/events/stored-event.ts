import type { Json } from '../json.ts';

/**
 * The envelope of every event in the store.
 * For a run, `streamId` is `run/<temporal workflow id>/<temporal run id>` and `version` is Temporal's event id (1..n, dense).
 */
export type StoredEvent = {
  tenantId: string;
  streamId: string;
  /** 1..n within the stream, without gaps. */
  version: number;
  /** 1..n within the tenant, without gaps, in commit order. */
  position: bigint;
  eventId: string;
  type: string;
  schemaVersion: number;
  occurredAt: Date;
  recordedAt: Date;
  /** The run id, or whatever ties events of one piece of work together. */
  correlationId: string | null;
  causationId: string | null;
  payload: Json;
};

/** An event before the store has given it a position. */
export type NewEvent = Omit<StoredEvent, 'tenantId' | 'streamId' | 'version' | 'position' | 'recordedAt'>;
