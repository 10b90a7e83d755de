/**
 * What can be wrong with a stored event:
 * PAYLOAD, FIELDS (type, times, ids, position, version or the link itself) and LARGE_VALUE differ from what was appended;
 * MOVED stands where another event was; REMOVED is missing; INSERTED came in beside the store; HEAD: the end of the stream is not
 * the one that was written last; POSITION: the tenant lacks positions or has too many; ORPHANED: the stream itself is missing;
 * UNLISTED: reads by type or correlation id do not find it.
 */
export type TamperingKind =
  | 'PAYLOAD'
  | 'FIELDS'
  | 'LARGE_VALUE'
  | 'MOVED'
  | 'REMOVED'
  | 'INSERTED'
  | 'HEAD'
  | 'POSITION'
  | 'ORPHANED'
  | 'UNLISTED';

export type Tampering = {
  tenantId: string;
  /** Null when it concerns the tenant as a whole. */
  streamId: string | null;
  version: number | null;
  kind: TamperingKind;
  detail: string;
};

export type Verification = {
  streams: number;
  events: number;
  /** Large values that are no longer in the payload store, as after their retention. */
  goneValues: number;
  found: Tampering[];
};
