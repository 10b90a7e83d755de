import { type EventDelivery, listDeliveries } from '../../adapters/postgres/event-wait-store.ts';
import type { EmittedEvent, EventTriggerRecord } from '../../domain/runs/triggers/event.ts';
import type { Firing } from '../../domain/runs/triggers/firing.ts';
import type { RunsDeps } from './deps.ts';
import {
  changeEventTrigger,
  createEventTrigger,
  type CreateEventTrigger,
  deleteEventTrigger,
  emitEvent,
  type EmitEvent,
  type EventTriggerChanges,
  type FiringsFilter,
  listEventsOf,
  listEventTriggersOf,
  listFiringsOf,
  readEventOf,
  readEventTriggerOf,
  retryFiring,
} from './event-triggers-operations.ts';
import { listRunsOf, readWorkflow, type PageArguments } from './read-runs.ts';
import type { RunsContext } from './resolvers.ts';

type Id = { id: string };
type TriggersFilter = PageArguments & { event?: string; workflowId?: string };

export function eventTriggerResolvers(deps: RunsDeps) {
  return {
    Query: {
      emittedEvent: (_: unknown, { id }: Id, { principal }: RunsContext) => readEventOf(deps, principal, id),
      emittedEvents: (_: unknown, filter: { first?: number; name?: string }, { principal }: RunsContext) =>
        listEventsOf(deps, principal, filter),
      eventTrigger: (_: unknown, { id }: Id, { principal }: RunsContext) => readEventTriggerOf(deps, principal, id),
      eventTriggers: (_: unknown, filter: TriggersFilter, { principal }: RunsContext) =>
        listEventTriggersOf(deps, principal, filter),
      firings: (_: unknown, filter: FiringsFilter, { principal }: RunsContext) =>
        listFiringsOf(deps, principal, filter),
    },
    Mutation: {
      emitEvent: (_: unknown, request: EmitEvent, { principal }: RunsContext) => emitEvent(deps, principal, request),
      createEventTrigger: (_: unknown, request: CreateEventTrigger, { principal }: RunsContext) =>
        createEventTrigger(deps, principal, request),
      updateEventTrigger: (_: unknown, request: EventTriggerChanges & Id, { principal }: RunsContext) =>
        changeEventTrigger(deps, principal, request),
      deleteEventTrigger: (_: unknown, { id }: Id, { principal }: RunsContext) =>
        deleteEventTrigger(deps, principal, id),
      retryFiring: (_: unknown, { id }: Id, { principal }: RunsContext) => retryFiring(deps, principal, id),
    },
    EventTrigger: {
      workflow: ({ workflowId, version }: EventTriggerRecord, _: unknown, { principal }: RunsContext) =>
        readWorkflow(deps, principal, workflowId, version ?? undefined),
      runs: ({ id }: EventTriggerRecord, page: PageArguments, { principal }: RunsContext) =>
        listRunsOf(deps, principal, { ...page, trigger: { kind: 'EVENT', id } }),
    },
    EmittedEvent: {
      deliveries: ({ tenantId, id }: EmittedEvent) => listDeliveries(deps.pool, tenantId, id),
      run: ({ runId }: EmittedEvent, _: unknown, { loaders }: RunsContext) => (runId ? loaders.run.load(runId) : null),
    },
    EventDelivery: {
      run: ({ runId }: EventDelivery, _: unknown, { loaders }: RunsContext) => loaders.run.load(runId),
    },
    Firing: {
      run: ({ runId }: Firing, _: unknown, { loaders }: RunsContext) => (runId ? loaders.run.load(runId) : null),
    },
  };
}
