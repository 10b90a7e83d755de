/** Milliseconds since the epoch of a wall clock's reading taken as if it were UTC. */
export type WallTime = number;

const formats = new Map<string, Intl.DateTimeFormat>();
const LARGEST_CACHE = 100;

export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** What a clock on the wall shows at this moment. */
export function wallTime(at: number, timeZone: string): WallTime {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(at)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/**
 * A moment at which the wall clock shows this. Of two it is one; for a time that is left out it is that time by the offset before
 * or after: which, is decided by the offset that holds when UTC shows the same.
 */
export function instantOf(wall: WallTime, timeZone: string): number {
  const offset = offsetAt(wall, timeZone);
  const own = offsetAt(wall - offset, timeZone);
  return wall - own;
}

/** How far the wall clock is ahead of UTC, in ms. */
function offsetAt(at: number, timeZone: string): number {
  const whole = Math.floor(at / 1000) * 1000;
  return wallTime(whole, timeZone) - whole;
}

/** `2026-11-24T02:00:00`, as the wall clock shows it. */
export function wallTimeText(at: number, timeZone: string): string {
  return new Date(wallTime(at, timeZone)).toISOString().slice(0, 19);
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  if (formats.size >= LARGEST_CACHE) formats.clear();
  formats.set(timeZone, format);
  return format;
}
