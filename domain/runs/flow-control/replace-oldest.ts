/**
 * Who makes room where new runs replace old ones: of all that hold a place or wait for one, the newest `limit` stay. Holders are
 * asked to stop; those that have not begun are dropped. Both lists begin with the oldest.
 */
export function replaceOldest<Run>(
  holders: readonly Run[],
  waiting: readonly Run[],
  limit: number,
): { stop: Run[]; drop: Run[] } {
  const surplus = Math.max(0, holders.length + waiting.length - limit);
  return { stop: holders.slice(0, surplus), drop: waiting.slice(0, Math.max(0, surplus - holders.length)) };
}
