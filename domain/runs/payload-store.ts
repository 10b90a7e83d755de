import type { PayloadHash } from '../identifiers.ts';

/** Content-addressed bytes outside Temporal's history. Putting the same hash again is a no-op. */
export interface PayloadStore {
  put(payloads: ReadonlyMap<PayloadHash, Uint8Array>): Promise<void>;
  /** Missing hashes are absent from the answer. */
  get(hashes: readonly PayloadHash[]): Promise<Map<PayloadHash, Uint8Array>>;
}
