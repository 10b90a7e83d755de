import { AppError } from '../../errors.ts';
import { type Calendar, parseCron } from './cron.ts';
import { instantOf, isTimeZone, wallTime } from './time-zone.ts';

export const OVERLAP_POLICIES = [
  'SKIP',
  'BUFFER_ONE',
  'BUFFER_ALL',
  'CANCEL_OTHER',
  'TERMINATE_OTHER',
  'ALLOW_ALL',
] as const;
export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number];

export type ScheduleInterval = { everySeconds: number; offsetSeconds: number };
/** When a schedule fires: at every time that any of its cron expressions or intervals names. */
export type ScheduleSpec = {
  crons: string[];
  /** Counted from the epoch, in no time zone. */
  intervals: ScheduleInterval[];
  /** IANA name; the wall clock that the cron expressions mean. */
  timeZone: string;
  /** RFC 3339; nothing fires before. */
  startAt: string | null;
  /** RFC 3339; nothing fires after. */
  endAt: string | null;
  /** Each firing is late by up to this much. */
  jitterSeconds: number;
};

const MOST_PARTS = 50;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The longest that cron can wait is from one 29 February to the next over a year that has none. */
const SEARCHED_DAYS = 9 * 366;

/** @throws AppError SCHEDULE_INVALID */
export function checkScheduleSpec(spec: ScheduleSpec): void {
  const { crons, intervals, timeZone, startAt, endAt, jitterSeconds } = spec;
  const refuse = (detail: string) => {
    throw new AppError('SCHEDULE_INVALID', { detail });
  };
  if (crons.length + intervals.length === 0) refuse('it needs a cron expression or an interval');
  if (crons.length + intervals.length > MOST_PARTS) refuse(`it has more than ${MOST_PARTS} expressions and intervals`);
  if (!isTimeZone(timeZone))
    refuse(`there is no time zone ${JSON.stringify(timeZone)}; use a name such as Europe/Berlin`);
  for (const cron of crons) parseCron(cron);
  for (const { everySeconds, offsetSeconds } of intervals) {
    if (!(Number.isInteger(everySeconds) && everySeconds >= 1)) refuse('an interval must be at least one second');
    if (!(Number.isInteger(offsetSeconds) && offsetSeconds >= 0 && offsetSeconds < everySeconds)) {
      refuse('the offset of an interval must be from 0 to less than the interval');
    }
  }
  for (const time of [startAt, endAt])
    if (time !== null && Number.isNaN(Date.parse(time))) refuse(`${time} is no time`);
  if (startAt !== null && endAt !== null && Date.parse(startAt) >= Date.parse(endAt)) {
    refuse('endAt must be after startAt');
  }
  if (!(Number.isInteger(jitterSeconds) && jitterSeconds >= 0 && jitterSeconds <= 86_400)) {
    refuse('jitter must be from 0 to 86,400 seconds');
  }
}

/** The calendars of all cron expressions. */
export const calendarsOf = ({ crons }: Pick<ScheduleSpec, 'crons'>): Calendar[] => crons.flatMap(parseCron);

/** The next firings after a moment, in ms, without jitter. */
export function nextTimes(spec: ScheduleSpec, after: number, count: number): number[] {
  const calendars = calendarsOf(spec);
  const end = spec.endAt === null ? Infinity : Date.parse(spec.endAt);
  const times: number[] = [];
  let last = Math.max(after, spec.startAt === null ? -Infinity : Date.parse(spec.startAt) - 1);
  while (times.length < count) {
    const candidates = [
      ...spec.intervals.map((interval) => nextOfInterval(interval, last)),
      ...calendars.map((calendar) => nextOfCalendar(calendar, spec.timeZone, last)),
    ];
    last = Math.min(...candidates);
    if (last > end || last === Infinity) break;
    times.push(last);
  }
  return times;
}

function nextOfInterval({ everySeconds, offsetSeconds }: ScheduleInterval, after: number): number {
  const every = everySeconds * 1000;
  const offset = offsetSeconds * 1000;
  return (Math.floor((after - offset) / every) + 1) * every + offset;
}

/**
 * As Temporal's server computes it, so that a preview is what will happen also on the days on which clocks change: an hour that is
 * left out does not fire; an hour that comes twice fires twice west of Greenwich, and east of it by the rules below.
 */
function nextOfCalendar(calendar: Calendar, timeZone: string, after: number): number {
  const start = wallTime(after, timeZone);
  const last = start + SEARCHED_DAYS * DAY_MS;
  let hour = Math.floor(start / HOUR_MS) * HOUR_MS;
  let minute = new Date(start).getUTCMinutes() + 1;
  let shift = hourOf(wallTime(after - HOUR_MS, timeZone)) === hourOf(start) ? HOUR_MS : 0;
  const goTo = (wall: number) => {
    hour = wall;
    minute = 0;
    shift = 0;
  };
  while (hour < last) {
    const found = calendar.minutes.find((one) => one >= minute);
    if (!isDayOf(calendar, new Date(hour))) goTo((Math.floor(hour / DAY_MS) + 1) * DAY_MS);
    else if (!calendar.hours.includes(hourOf(hour))) goTo(hour + HOUR_MS);
    else if (found === undefined) {
      const jump = instantOf(hour + HOUR_MS, timeZone) - instantOf(hour, timeZone);
      if (shift === 0 && jump > HOUR_MS) {
        minute = 0;
        shift = HOUR_MS;
      } else goTo(hour + HOUR_MS);
    } else {
      const at = instantOf(hour + found * 60_000, timeZone);
      if (hourOf(wallTime(at, timeZone)) === hourOf(hour)) return at + shift;
      hour += HOUR_MS;
      minute = 0;
    }
  }
  return Infinity;
}

const hourOf = (wall: number): number => new Date(wall).getUTCHours();

function isDayOf({ months, daysOfMonth, daysOfWeek }: Calendar, date: Date): boolean {
  return (
    months.includes(date.getUTCMonth() + 1) &&
    daysOfMonth.includes(date.getUTCDate()) &&
    daysOfWeek.includes(date.getUTCDay())
  );
}
