import type { TenantId } from '../../identifiers.ts';
import type { Json } from '../../json.ts';
import type { RunError } from '../run-event.ts';
import type { TriggerKind } from './run-trigger.ts';

export type FiringState = 'PENDING' | 'STARTED' | 'DEAD';
export type FiringKind = Extract<TriggerKind, 'SCHEDULE' | 'WEBHOOK' | 'EVENT'>;

/** One firing of a trigger: made where it fires, and then worked off until its run is started. */
export type Firing = {
  /** See `firingId`; also the idempotency key of the run. */
  id: string;
  tenantId: TenantId;
  kind: FiringKind;
  triggerId: string;
  /** The scheduled time, the webhook's message id or the event's id. */
  source: string;
  /** Of what came in, where the same source could bring something else. */
  sourceHash: string | null;
  workflowId: string;
  version: number | null;
  input: Json;
  depth: number;
  state: FiringState;
  runId: string | null;
  attempts: number;
  /** Of the last attempt. */
  error: RunError | null;
  /** The Temporal workflow that a schedule waits for. */
  holderId: string | null;
  createdAt: Date;
};

/** The same for the same firing, however often it is made. Kept within the length of an idempotency key by `digest`. */
export function firingId(
  { kind, triggerId, source }: Pick<Firing, 'kind' | 'triggerId' | 'source'>,
  digest: (text: string) => string,
): string {
  const plain = `${kind.toLowerCase()}:${triggerId}:${source}`;
  return /^[\x20-\x7e]{1,200}$/.test(plain) ? plain : `${kind.toLowerCase()}:${triggerId}:#${digest(source)}`;
}

/** Attempts in all before a firing or a wake-up is left for somebody to look at. */
export const MOST_ATTEMPTS = 25;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 300_000;

/** How long to wait after this many attempts: twice as long each time. */
export function retryDelayMs(attempts: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, attempts - 1), LONGEST_RETRY_MS);
}
