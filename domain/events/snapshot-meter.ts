import { valueSize } from '../runs/value-size.ts';
import type { StoredEvent } from './stored-event.ts';

/** How much may happen in a run until its state is kept; whatever comes first. */
export type SnapshotPolicy = {
  events: number;
  /** About so many characters of what the events carry. */
  bytes: number;
  /** By the time of the events. */
  ageMs: number;
};

export const STANDARD_SNAPSHOTS: SnapshotPolicy = { events: 200, bytes: 1_048_576, ageMs: 86_400_000 };

/** Says after which events of a run its state is to be kept. */
export class SnapshotMeter {
  readonly #policy: SnapshotPolicy;
  #events = 0;
  #bytes = 0;
  #since: number | null = null;

  constructor(policy: SnapshotPolicy) {
    this.#policy = policy;
  }

  /** Whether the state after the event is to be kept; counting then begins anew. */
  after({ occurredAt, payload }: Pick<StoredEvent, 'occurredAt' | 'payload'>): boolean {
    const at = occurredAt.getTime();
    this.#since ??= at;
    this.#events += 1;
    this.#bytes += valueSize(payload);
    const { events, bytes, ageMs } = this.#policy;
    if (this.#events < events && this.#bytes < bytes && at - this.#since < ageMs) return false;
    this.#events = 0;
    this.#bytes = 0;
    this.#since = at;
    return true;
  }
}
