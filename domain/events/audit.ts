import { isJsonObject, type Json } from '../json.ts';
import { canonicalJson } from '../runs/canonical-json.ts';

export type AuditedEvent = { version: number; type: string; occurredAt: Date; payload: Json };

/** `stored` or `history` is null where the event is missing on that side. */
export type AuditDifference = {
  version: number;
  /** `event`, `type`, `occurredAt`, or the payload's field, such as `payload.output`. */
  field: string;
  stored: Json;
  history: Json;
};

/**
 * What stored events have other than Temporal's history. An open history may have grown since it was read: what the store has
 * beyond it is then no difference.
 */
export function compareWithHistory(
  stored: readonly AuditedEvent[],
  history: readonly AuditedEvent[],
  { open }: { open: boolean },
): AuditDifference[] {
  const storedByVersion = new Map(stored.map((event) => [event.version, event]));
  const inHistory = new Set(history.map(({ version }) => version));
  const surplus = stored
    .filter(({ version }) => !inHistory.has(version) && !(open && version > history.length))
    .map(({ version, type }) => ({ version, field: 'event', stored: type, history: null }));
  return [...history.flatMap((event) => differencesOf(storedByVersion.get(event.version), event)), ...surplus];
}

function differencesOf(stored: AuditedEvent | undefined, history: AuditedEvent): AuditDifference[] {
  const { version } = history;
  if (stored === undefined) return [{ version, field: 'event', stored: null, history: history.type }];
  return fieldsOf(stored, history)
    .filter(([, left, right]) => canonicalJson(left) !== canonicalJson(right))
    .map(([field, left, right]) => ({ version, field, stored: left, history: right }));
}

function fieldsOf(stored: AuditedEvent, history: AuditedEvent): [field: string, stored: Json, history: Json][] {
  return [
    ['type', stored.type, history.type],
    ['occurredAt', stored.occurredAt.toISOString(), history.occurredAt.toISOString()],
    ...payloadFields(stored.payload, history.payload),
  ];
}

/** An absent field and one that is null count as different. */
function payloadFields(stored: Json, history: Json): [string, Json, Json][] {
  if (!isJsonObject(stored) || !isJsonObject(history)) return [['payload', stored, history]];
  const names = [...new Set([...Object.keys(stored), ...Object.keys(history)])];
  const different = names.filter((name) => Object.hasOwn(stored, name) !== Object.hasOwn(history, name));
  if (different.length > 0) return [['payload', stored, history]];
  return names.map((name) => [`payload.${name}`, stored[name] ?? null, history[name] ?? null]);
}
