import type { JsonObject } from '../json.ts';
import type { RunEvent, RunEventType } from '../runs/run-event.ts';
import type { StoredEvent } from './stored-event.ts';

const RUN_EVENT_TYPES: Readonly<Record<RunEventType, true>> = {
  'run.started': true,
  'node.scheduled': true,
  'node.started': true,
  'node.completed': true,
  'node.failed': true,
  'node.parked': true,
  'node.cancelled': true,
  'node.retry_requested': true,
  'node.skip_requested': true,
  'group.completed': true,
  'group.failed': true,
  'child.scheduled': true,
  'child.started': true,
  'child.completed': true,
  'child.failed': true,
  'event.received': true,
  'webhook.received': true,
  'variable.set': true,
  'run.paused': true,
  'run.resumed': true,
  'run.yielded': true,
  'run.ticked': true,
  'run.continued_as_new': true,
  'timer.started': true,
  'timer.fired': true,
  'approval.decided': true,
  'run.cancel_requested': true,
  'run.completed': true,
  'run.failed': true,
  'run.cancelled': true,
  'run.terminated': true,
  'run.timed_out': true,
};

/** What the engine makes of a stored event; bookkeeping events change nothing and give undefined. */
export function runEventOf(stored: Pick<StoredEvent, 'type' | 'occurredAt' | 'payload'>): RunEvent | undefined {
  if (!Object.hasOwn(RUN_EVENT_TYPES, stored.type)) return undefined;
  return { ...(stored.payload as JsonObject), type: stored.type, at: stored.occurredAt.getTime() } as RunEvent;
}
