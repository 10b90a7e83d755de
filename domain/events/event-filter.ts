/** Which events of a tenant; what is left out does not matter. */
export type EventFilter = {
  /** Types, or kinds such as `access.*`. */
  types?: readonly string[] | undefined;
  /** A run id, or whatever else ties events of one piece of work together. */
  correlationId?: string | undefined;
  streamId?: string | undefined;
  /** When the store took them: from, and before. */
  recordedFrom?: Date | undefined;
  recordedBefore?: Date | undefined;
  /** Kinds that are left out, whatever else is said. */
  withoutKinds?: readonly string[] | undefined;
};

/** A type, or with `.*` a kind of types. */
export const isTypePattern = (text: string): boolean => /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*|\.\*)$/.test(text);

export function matchesFilter(
  { types, correlationId, streamId, withoutKinds = [] }: EventFilter,
  event: { type: string; correlationId: string | null; streamId: string },
): boolean {
  const kind = event.type.slice(0, event.type.indexOf('.'));
  if (withoutKinds.includes(kind)) return false;
  if (correlationId !== undefined && event.correlationId !== correlationId) return false;
  if (streamId !== undefined && event.streamId !== streamId) return false;
  return types === undefined || types.includes(event.type) || types.includes(`${kind}.*`);
}
