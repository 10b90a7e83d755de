import { recordedChange, type Transaction } from '../../adapters/postgres/record-events.ts';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { BatchRecord } from '../../domain/runs/batches/batch.ts';
import type { EventTriggerRecord } from '../../domain/runs/triggers/event.ts';
import type { OpenScheduleAct, ScheduleRecord } from '../../domain/runs/triggers/schedule.ts';
import type { WebhookRecord } from '../../domain/runs/triggers/webhook.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';

/** Makes a change in a transaction and records the event that it gives, both or neither; without a result nothing is recorded. */
export function changed<Result>(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  change: (client: Transaction) => Promise<Result>,
  eventOf: (result: NonNullable<Result>) => SystemEvent,
): Promise<Result> {
  return recordedChange(pool, tenantId, async (client) => {
    const result = await change(client);
    return { result, events: result ? [eventOf(result)] : [] };
  });
}

type ScheduleChange = 'schedule.created' | 'schedule.changed';
export function scheduleEvent(type: ScheduleChange, schedule: ScheduleRecord, by: string | null): SystemEvent {
  const { id, name, workflowId, version, spec, overlap } = schedule;
  return { type, id, payload: { id, name, workflowId, version, spec: spec as unknown as JsonObject, overlap, by } };
}

export function scheduleActed(id: string, { requestId, askedAt, by, act }: OpenScheduleAct): SystemEvent {
  const known = { id, eventId: requestId, occurredAt: new Date(askedAt) };
  switch (act.kind) {
    case 'pause':
      return { ...known, type: 'schedule.paused', payload: { id, note: act.note, by } };
    case 'unpause':
      return { ...known, type: 'schedule.unpaused', payload: { id, note: act.note, by } };
    case 'trigger':
      return { ...known, type: 'schedule.triggered', payload: { id, by } };
    case 'backfill':
      return { ...known, type: 'schedule.backfilled', payload: { id, from: act.from, to: act.to, by } };
  }
}

type WebhookChange = 'webhook.created' | 'webhook.changed';
export function webhookEvent(type: WebhookChange, webhook: WebhookRecord, by: string | null): SystemEvent {
  const { id, name, workflowId, version, enabled } = webhook;
  return { type, id, payload: { id, name, workflowId, version, enabled, by } };
}

type EventTriggerChange = 'event_trigger.created' | 'event_trigger.changed';
export function eventTriggerEvent(
  type: EventTriggerChange,
  trigger: EventTriggerRecord,
  by: string | null,
): SystemEvent {
  const { id, name, workflowId, version, event, filter, enabled } = trigger;
  return { type, id, payload: { id, name, workflowId, version, event, filter, enabled, by } };
}

export function batchStarted(
  { id, operation, filter, total, dryRun, reason }: BatchRecord,
  by: string | null,
): SystemEvent {
  const chosen = JSON.parse(JSON.stringify(filter)) as JsonObject;
  return { type: 'batch.started', id, payload: { id, operation, filter: chosen, total, dryRun, reason, by } };
}
