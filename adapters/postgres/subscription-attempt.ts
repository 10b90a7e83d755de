import type { StoredEvent } from '../../domain/events/stored-event.ts';

export type SubscriptionName = { tenantId: string; name: string };

export type ConsumerOptions = {
  batch?: number;
  /** Failures in a row after which an event becomes a dead letter. */
  maxAttempts?: number;
  /** Pause after the first failure; it doubles with each one. */
  backoffMs?: number;
  maxBackoffMs?: number;
};
export type ConsumerLimits = Required<ConsumerOptions>;

/** Gives why it failed, or null; what it wrote is undone then. */
export type Attempt = (events: readonly StoredEvent[]) => Promise<Error | null>;

export function backoffMs(failures: number, { backoffMs: first, maxBackoffMs }: ConsumerLimits): number {
  return Math.min(first * 2 ** failures, maxBackoffMs);
}
