import type { JsonObject } from '../json.ts';
import type { RunEvent, RunEventType } from '../runs/run-event.ts';
import type { StoredEvent } from './stored-event.ts';

const RUN_EVENT_TYPES: Readonly<Record<RunEventType, true>> = {
  'run.started': true,
  'node.scheduled': true,
  'node.started': true,
  'node.completed': true,
  'node.failed': true,
  'node.cancelled': true,
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
