import type { EventHeads } from '../../adapters/postgres/event-heads.ts';
import { readEventPage, readHead } from '../../adapters/postgres/read-events.ts';
import type { StoredEvent } from '../../domain/events/stored-event.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from '../runs/deps.ts';
import { eventFilter, type FilterInput, positionOf } from '../runs/read-stored-events.ts';

export type FollowDeps = { pool: RunsDeps['pool']; heads: EventHeads };
export type Follow = {
  filter: FilterInput;
  /** A position in decimal digits, or `head`: what comes from now on. */
  after: string;
};
/** `position`: where to go on from, also past events that the filter leaves out. */
export type FollowedEvents = { events: StoredEvent[]; position: bigint };

const PAGE = 200;

/** Events as they come, for ever; the next page is read when the one before was taken. @throws INPUT_INVALID */
export async function* followEvents(
  { pool, heads }: FollowDeps,
  principal: Principal,
  { filter: input, after }: Follow,
  signal: AbortSignal,
): AsyncGenerator<FollowedEvents, never> {
  const { tenantId } = principal;
  const filter = eventFilter(principal, input);
  let position = after === 'head' ? await readHead(pool, tenantId) : positionOf(after);
  yield { events: [], position };
  for (;;) {
    const { events, upTo } = await readEventPage(pool, { tenantId, filter, after: position, first: PAGE });
    const isFull = events.length === PAGE;
    position = (isFull ? events.at(-1)?.position : upTo > position ? upTo : undefined) ?? position;
    yield { events, position };
    if (!isFull) await heads.beyond(tenantId, position, signal);
    signal.throwIfAborted();
  }
}
