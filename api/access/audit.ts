import type { SystemEvent } from '../../domain/events/system-event.ts';
import type { Principal } from './principal.ts';

type AccessEvent = Extract<SystemEvent, { type: `access.${string}` }>;

/** The stream is the one whom it concerns, so that the audit of one account is one stream. */
export function accessEvent<Type extends AccessEvent['type']>(
  type: Type,
  principal: Pick<Principal, 'subject' | 'address'>,
  subject: string | null,
  more: Record<string, unknown> = {},
): SystemEvent {
  const payload = { subject, by: principal.subject, address: principal.address ?? null, ...more };
  return { type, id: subject ?? 'nobody', payload } as unknown as SystemEvent;
}
