import type { StoredEvent } from '../events/stored-event.ts';
import { isJsonObject } from '../json.ts';
import type { RunEvent, RunEventType } from './run-event.ts';

const RUN_EVENT_TYPES: { readonly [Type in RunEventType]: true } = {
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

/** The engine's event in a stored one; undefined for Temporal's bookkeeping, which changes no state. */
export function runEventOf(stored: Pick<StoredEvent, 'type' | 'occurredAt' | 'payload'>): RunEvent | undefined {
  if (!Object.hasOwn(RUN_EVENT_TYPES, stored.type)) return undefined;
  const fields = isJsonObject(stored.payload) ? stored.payload : {};
  return { ...fields, type: stored.type, at: stored.occurredAt.getTime() } as RunEvent;
}
