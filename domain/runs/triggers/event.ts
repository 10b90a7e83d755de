import { AppError } from '../../errors.ts';
import type { TenantId, WorkflowId } from '../../identifiers.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { Mapping } from '../definition.ts';

/** An event that somebody emitted: it starts runs by event triggers and wakes those that wait for it. */
export type EmittedEvent = {
  id: string;
  tenantId: TenantId;
  name: string;
  /** What tells apart the runs that wait for the same event. */
  correlation: string | null;
  data: Json;
  /** How many events in a row led to this one, itself included. */
  depth: number;
  /** The run that emitted it. */
  runId: string | null;
  emittedAt: Date;
  /** When it had been handed to every trigger and wait that was there; null before. */
  dispatchedAt: Date | null;
};

export type EventTriggerRecord = {
  id: string;
  tenantId: TenantId;
  name: string;
  /** Name of the events that fire it. */
  event: string;
  /** CEL over event; null takes every one. */
  filter: string | null;
  workflowId: WorkflowId;
  /** Null: the latest when it fires. */
  version: number | null;
  /** CEL over event; null gives the event's data. */
  mapping: Mapping | null;
  enabled: boolean;
  createdAt: Date;
  updatedAt: Date;
};

export type EmitInput = { event: string; correlation?: Json; data?: Json };

export interface EventActivities {
  /**
   * Emits an event, once for each execution of the node.
   * @throws INPUT_INVALID, EVENT_CHAIN_TOO_LONG
   */
  emit(input: EmitInput): Promise<{ id: string }>;
}

/** More than any sensible chain, and soon reached by workflows that start each other in a circle. */
export const LONGEST_EVENT_CHAIN = 16;

/** @throws AppError INPUT_INVALID */
export function checkEventName(name: string): string {
  return checkText('event', name, 255);
}

/** Waits compare texts: numbers and booleans are taken as such. @throws AppError INPUT_INVALID */
export function correlationText(value: Json | undefined): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'object')
    throw new AppError('INPUT_INVALID', { detail: 'correlation must be a text or a number' });
  return checkText('correlation', String(value), 1000);
}

/** @throws AppError EVENT_CHAIN_TOO_LONG */
export function checkDepth(event: string, depth: number): void {
  if (depth > LONGEST_EVENT_CHAIN)
    throw new AppError('EVENT_CHAIN_TOO_LONG', { event, depth, limit: LONGEST_EVENT_CHAIN });
}

/** What expressions see of an event. */
export function eventValue({ id, name, correlation, data, emittedAt }: EmittedEvent): JsonObject {
  return { id, name, correlation, data, emittedAt: emittedAt.toISOString() };
}

/** @throws AppError INPUT_INVALID */
export function checkText(what: string, value: string, longest: number): string {
  if (value.length > 0 && value.length <= longest && !/[\p{Cc}\p{Cs}]/u.test(value)) return value;
  const message = `must be 1 to ${longest} printable characters`;
  throw new AppError('INPUT_INVALID', { detail: `${what} ${message}`, paths: [{ path: `/${what}`, message }] });
}
