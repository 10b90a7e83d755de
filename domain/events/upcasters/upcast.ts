import { AppError } from '../../errors.ts';
import type { Json } from '../../json.ts';

export type Upcastable = { type: string; schemaVersion: number; occurredAt: Date; payload: Json };
/** What an event of the version before is in the next one; the type changes only where it is given. */
export type Upcaster = (event: Upcastable) => { payload: Json; type?: string };
/** By type, then by the version that is left. */
export type Upcasters = { readonly [type: string]: { readonly [version: number]: Upcaster } };

export const LONGEST_CHAIN = 10;

/**
 * Brings an event up to the version that its type has today, one version after the other. What is stored stays as it was appended.
 * @throws EVENT_UNREADABLE when that takes more than LONGEST_CHAIN steps
 */
export function upcast<Event extends Upcastable>(upcasters: Upcasters, event: Event): Event {
  let current = event;
  for (let steps = 0; ; steps += 1) {
    const { type, schemaVersion } = current;
    const upcaster = Object.hasOwn(upcasters, type) ? upcasters[type]?.[schemaVersion] : undefined;
    if (upcaster === undefined) return current;
    if (steps === LONGEST_CHAIN) {
      throw new AppError('EVENT_UNREADABLE', { type: event.type, schemaVersion: event.schemaVersion, steps });
    }
    current = { ...current, type, ...upcaster(current), schemaVersion: schemaVersion + 1 };
  }
}
