import { EVENT_TYPES } from '../../domain/events/event-types.ts';
import type { StoredEvent } from '../../domain/events/stored-event.ts';
import type { Verification } from '../../domain/events/verification.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import type { RunsDeps } from './deps.ts';
import { type EventsRequest, listStoredEvents, readEventStream } from './read-stored-events.ts';
import type { RunsContext } from './resolvers.ts';
import { verifyRun } from './verify-run.ts';

export function eventsResolvers(deps: RunsDeps) {
  return {
    Query: {
      events: (_: unknown, request: EventsRequest, { principal }: RunsContext) =>
        listStoredEvents(deps, principal, request),
      eventStream: (_: unknown, request: Parameters<typeof readEventStream>[2], { principal }: RunsContext) =>
        readEventStream(deps, principal, request),
      eventTypes: () => EVENT_TYPES,
    },
    StoredEvent: {
      id: ({ eventId }: StoredEvent) => eventId,
      position: ({ position }: StoredEvent) => String(position),
    },
    Run: {
      verification: (run: RunRecord, _: unknown, { principal }: RunsContext) => verifyRun(deps, principal, run.id),
    },
    EventVerification: { sound: ({ found }: Verification) => found.length === 0 },
  };
}
