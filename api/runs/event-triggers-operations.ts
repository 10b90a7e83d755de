import { randomUUIDv7 } from 'node:crypto';
import {
  insertEmittedEvent,
  listEmittedEvents,
  readEmittedEvent,
} from '../../adapters/postgres/emitted-event-store.ts';
import {
  deleteEventTrigger as deleteFromStore,
  listEventTriggers,
  putEventTrigger,
  readEventTrigger,
} from '../../adapters/postgres/event-trigger-store.ts';
import { newestCursor, parseNewestCursor } from '../../adapters/postgres/newest-page.ts';
import {
  type FiringListing,
  listFirings,
  readFiring,
  reviveFiring,
} from '../../adapters/postgres/trigger-firing-store.ts';
import { readSchedule } from '../../adapters/postgres/schedule-store.ts';
import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import {
  checkEventName,
  checkText,
  correlationText,
  type EmittedEvent,
  type EventTriggerRecord,
} from '../../domain/runs/triggers/event.ts';
import type { Firing } from '../../domain/runs/triggers/firing.ts';
import { eventInput, scheduledInput } from '../../domain/runs/triggers/firing-input.ts';
import { checkTriggerExpression, checkTriggerMapping } from '../../domain/runs/triggers/trigger-expression.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid, type Connection, connectionOf, pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { checkSize } from './execute-workflow.ts';
import type { PageArguments } from './read-runs.ts';
import { changed, eventTriggerEvent } from './recorded-changes.ts';
import { checkTriggerId, targetWorkflow } from './trigger-target.ts';

export type EmitEvent = {
  name: string;
  correlation?: string | null | undefined;
  data?: Json | undefined;
  id?: string | null | undefined;
};

/** Once it is stored it reaches every trigger and wait. @throws INPUT_INVALID, PAYLOAD_TOO_LARGE, IDEMPOTENCY_CONFLICT */
export async function emitEvent(deps: RunsDeps, { tenantId }: Principal, request: EmitEvent): Promise<EmittedEvent> {
  const { data = null } = request;
  checkSize(deps, data, 'The data of the event');
  const event = await insertEmittedEvent(deps.pool, {
    tenantId,
    id: checkText('id', request.id ?? `event-${randomUUIDv7()}`, 400),
    name: checkEventName(request.name),
    correlation: correlationText(request.correlation),
    data,
    depth: 1,
    runId: null,
  });
  deps.log.info({ eventId: event.id, event: event.name }, 'event emitted');
  return event;
}

export async function readEventOf(
  deps: RunsDeps,
  { tenantId }: Principal,
  id: string,
): Promise<EmittedEvent | undefined> {
  return id.includes('\0') ? undefined : readEmittedEvent(deps.pool, tenantId, id);
}

/** Newest first. @throws INPUT_INVALID */
export function listEventsOf(
  deps: RunsDeps,
  { tenantId }: Principal,
  { first, name }: { first?: number | null; name?: string | null },
): Promise<EmittedEvent[]> {
  return listEmittedEvents(deps.pool, { tenantId, first: pageSize(first, 20, 100), name: name ?? null });
}

export type EventTriggerChanges = {
  name?: string | null | undefined;
  event?: string | null | undefined;
  filter?: string | null | undefined;
  version?: number | null | undefined;
  mapping?: Json | undefined;
  enabled?: boolean | null | undefined;
};
export type CreateEventTrigger = EventTriggerChanges & {
  event: string;
  workflowId: string;
  id?: string | null | undefined;
};

/** @throws NOT_FOUND, INPUT_INVALID, MAPPING_INVALID, ID_TAKEN */
export async function createEventTrigger(
  deps: RunsDeps,
  principal: Principal,
  request: CreateEventTrigger,
): Promise<EventTriggerRecord> {
  const { tenantId } = principal;
  const id = checkTriggerId(request.id ?? `trigger-${randomUUIDv7()}`);
  const { workflowId } = await targetWorkflow(deps, principal, request);
  if (await readEventTrigger(deps.pool, tenantId, id)) throw new AppError('ID_TAKEN', { what: 'event trigger', id });
  const base = {
    id,
    tenantId,
    name: id,
    event: '',
    filter: null,
    workflowId,
    version: null,
    mapping: null,
    enabled: true,
  };
  return changed(
    deps,
    principal,
    (client) => putEventTrigger(client, applied(request, base)),
    (made) => eventTriggerEvent('event_trigger.created', made, principal.subject),
  );
}

/** What is left out stays as it is. @throws NOT_FOUND, INPUT_INVALID, MAPPING_INVALID */
export async function changeEventTrigger(
  deps: RunsDeps,
  principal: Principal,
  { id, ...changes }: EventTriggerChanges & { id: string },
): Promise<EventTriggerRecord> {
  const before = await readEventTriggerOf(deps, principal, id);
  if (!before) throw notFound(id);
  const wanted = applied(changes, before);
  await targetWorkflow(deps, principal, wanted);
  return changed(
    deps,
    principal,
    (client) => putEventTrigger(client, wanted),
    (made) => eventTriggerEvent('event_trigger.changed', made, principal.subject),
  );
}

type Wanted = Omit<EventTriggerRecord, 'createdAt' | 'updatedAt'>;

function applied<Base extends Wanted>(changes: EventTriggerChanges, base: Base): Base {
  const { name, event, filter, version, mapping, enabled } = changes;
  if (filter) checkTriggerExpression('EVENT', filter, 'filter');
  return {
    ...base,
    ...(name ? { name: checkText('name', name, 255) } : {}),
    ...(event ? { event: checkEventName(event) } : {}),
    ...(filter === undefined ? {} : { filter }),
    ...(version === undefined ? {} : { version }),
    ...(mapping === undefined ? {} : { mapping: mapping === null ? null : checkTriggerMapping('EVENT', mapping) }),
    ...(enabled === null || enabled === undefined ? {} : { enabled }),
  };
}

/** Firings that are made already go on. @throws NOT_FOUND */
export async function deleteEventTrigger(deps: RunsDeps, principal: Principal, id: string): Promise<string> {
  if (id.includes('\0')) throw notFound(id);
  const deleted = await changed(
    deps,
    principal,
    (client) => deleteFromStore(client, principal.tenantId, id),
    () => ({ type: 'event_trigger.deleted', id, payload: { id, by: principal.subject } }),
  );
  if (!deleted) throw notFound(id);
  return id;
}

export async function readEventTriggerOf(
  deps: RunsDeps,
  { tenantId }: Principal,
  id: string,
): Promise<EventTriggerRecord | undefined> {
  return id.includes('\0') ? undefined : readEventTrigger(deps.pool, tenantId, id);
}

/** Newest first. @throws INPUT_INVALID */
export async function listEventTriggersOf(
  deps: RunsDeps,
  { tenantId }: Principal,
  filter: PageArguments & { event?: string | null; workflowId?: string | null },
): Promise<Connection<EventTriggerRecord>> {
  const { first, after } = pageOf(filter);
  const { event, workflowId } = filter;
  const listing = { tenantId, first, after, event: event ?? undefined, workflowId: workflowId ?? undefined };
  return connectionOf(await listEventTriggers(deps.pool, listing), newestCursor, after);
}

export type FiringsFilter = PageArguments & {
  kind?: FiringListing['kind'] | null;
  triggerId?: string | null;
  state?: FiringListing['state'] | null;
};

/** Newest first. @throws INPUT_INVALID */
export async function listFiringsOf(
  deps: RunsDeps,
  { tenantId }: Principal,
  filter: FiringsFilter,
): Promise<Connection<Firing>> {
  const { first, after } = pageOf(filter);
  const { kind, triggerId, state } = filter;
  const wanted = { kind: kind ?? undefined, triggerId: triggerId ?? undefined, state: state ?? undefined };
  return connectionOf(await listFirings(deps.pool, { tenantId, first, after, ...wanted }), newestCursor, after);
}

/** Tries a dead firing again, from its first attempt, by what its trigger says now. @throws NOT_FOUND, EXPRESSION_FAILED */
export async function retryFiring(deps: RunsDeps, { tenantId }: Principal, id: string): Promise<Firing> {
  const dead = id.includes('\0') ? undefined : await readFiring(deps.pool, tenantId, id);
  const revived = dead && (await reviveFiring(deps.pool, tenantId, id, await inputNow(deps, dead)));
  const firing = revived ? await readFiring(deps.pool, tenantId, id) : undefined;
  if (!firing) throw new AppError('NOT_FOUND', { what: 'Dead firing', id });
  return firing;
}

/** A webhook's mapping was done when the message came; other mappings may have been mended since. */
async function inputNow({ pool }: RunsDeps, { kind, tenantId, triggerId, source, input }: Firing): Promise<Json> {
  if (kind === 'SCHEDULE') {
    const schedule = await readSchedule(pool, { tenantId, id: triggerId });
    return schedule ? scheduledInput(schedule, source) : input;
  }
  if (kind === 'EVENT') {
    const [trigger, event] = await Promise.all([
      readEventTrigger(pool, tenantId, triggerId),
      readEmittedEvent(pool, tenantId, source),
    ]);
    return trigger && event ? (eventInput(trigger, event) ?? input) : input;
  }
  return input;
}

function pageOf(filter: PageArguments): { first: number; after: string | undefined } {
  const after = filter.after ?? undefined;
  if (after !== undefined && !parseNewestCursor(after)) throw argumentInvalid('after', 'is no cursor of this list');
  return { first: pageSize(filter.first, 20, 100), after };
}

const notFound = (id: string) => new AppError('NOT_FOUND', { what: 'Event trigger', id });
