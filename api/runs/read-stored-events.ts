import { readStream } from '../../adapters/postgres/event-store.ts';
import { readEvents, readHead } from '../../adapters/postgres/read-events.ts';
import { type EventFilter, isTypePattern } from '../../domain/events/event-filter.ts';
import type { StoredEvent } from '../../domain/events/stored-event.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid, type Connection, connectionOf, pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';

type Given<Value> = Value | null | undefined;
export type FilterInput = {
  types?: Given<readonly string[]>;
  correlationId?: Given<string>;
  streamId?: Given<string>;
  recordedFrom?: Given<Date>;
  recordedBefore?: Given<Date>;
};
export type EventsRequest = {
  filter?: Given<FilterInput>;
  after?: Given<string>;
  first?: Given<number>;
  order?: Given<'OLDEST_FIRST' | 'NEWEST_FIRST'>;
};
type StoredEventConnection = Omit<Connection<StoredEvent>, 'totalCount'> & { head: string };

const AUDIT = 'access';
const MOST_TYPES = 100;

/** @throws INPUT_INVALID */
export async function listStoredEvents(
  { pool }: Pick<RunsDeps, 'pool'>,
  principal: Principal,
  { filter, after, first: wanted, order }: EventsRequest,
): Promise<StoredEventConnection> {
  const { tenantId } = principal;
  const first = pageSize(wanted, 50, 1_000);
  const place = after ? positionOf(after) : undefined;
  const listing = { tenantId, filter: eventFilter(principal, filter ?? {}), after: place };
  const head = await readHead(pool, tenantId);
  const rows = await readEvents(pool, { ...listing, first: first + 1, newestFirst: order === 'NEWEST_FIRST' });
  const page = { rows: rows.slice(0, first), hasNextPage: rows.length > first, totalCount: 0 };
  return { ...connectionOf(page, ({ position }) => String(position), after ?? undefined), head: String(head) };
}

/** @throws INPUT_INVALID */
export async function readEventStream(
  { pool }: Pick<RunsDeps, 'pool'>,
  principal: Principal,
  { id, fromVersion, first }: { id: string; fromVersion?: Given<number>; first?: Given<number> },
): Promise<StoredEvent[]> {
  const size = pageSize(first, 100, 1_000);
  const hidden = hiddenKinds(principal).some((kind) => id.startsWith(`${kind}/`));
  if (hidden || id.includes('\0')) return [];
  const after = Math.max(0, (fromVersion ?? 1) - 1);
  return readStream(pool, { tenantId: principal.tenantId, streamId: id, after, first: size });
}

/** What was asked for, without what the principal may not see. @throws INPUT_INVALID */
export function eventFilter(principal: Principal, input: FilterInput): EventFilter {
  const { types, correlationId, streamId } = input;
  if (types && types.length > MOST_TYPES) throw argumentInvalid('filter/types', `must be at most ${MOST_TYPES}`);
  const wrong = types?.find((type) => !isTypePattern(type));
  if (wrong !== undefined) throw argumentInvalid('filter/types', `must be types, or kinds such as node.*: ${wrong}`);
  if (correlationId?.includes('\0')) throw argumentInvalid('filter/correlationId', 'is not valid');
  if (streamId?.includes('\0')) throw argumentInvalid('filter/streamId', 'is not valid');
  return {
    types: types ?? undefined,
    correlationId: correlationId ?? undefined,
    streamId: streamId ?? undefined,
    recordedFrom: input.recordedFrom ?? undefined,
    recordedBefore: input.recordedBefore ?? undefined,
    withoutKinds: hiddenKinds(principal),
  };
}

/** @throws INPUT_INVALID */
export function positionOf(text: string): bigint {
  if (!/^\d{1,18}$/.test(text)) throw argumentInvalid('after', 'is no position');
  return BigInt(text);
}

const hiddenKinds = ({ permissions = [] }: Principal): string[] =>
  permissions.includes('access:admin') ? [] : [AUDIT];
