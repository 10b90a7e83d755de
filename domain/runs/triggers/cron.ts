import { AppError } from '../../errors.ts';

/** The values that each field allows, ascending. A day must satisfy both `daysOfMonth` and `daysOfWeek`. */
export type Calendar = {
  minutes: readonly number[];
  hours: readonly number[];
  daysOfMonth: readonly number[];
  /** 1 is January. */
  months: readonly number[];
  /** 0 is Sunday. */
  daysOfWeek: readonly number[];
};

type Field = { name: string; min: number; max: number; names?: readonly string[] };

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly [Field, Field, Field, Field, Field] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day of week', min: 0, max: 7, names: DAYS },
];
const SHORTHANDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * Five fields, or @daily and the like. As in cron, a day of the month and a day of the week that are both restricted mean either:
 * that gives two calendars.
 * @throws AppError SCHEDULE_INVALID
 */
export function parseCron(text: string): Calendar[] {
  const expression = text.trim();
  const fields = (SHORTHANDS[expression.toLowerCase()] ?? expression).split(/\s+/);
  if (fields.length !== 5) {
    throw invalid(text, `it has ${fields.length} fields, not minute, hour, day of month, month, day of week`);
  }
  const [minutes, hours, daysOfMonth, months, weekdays] = FIELDS.map((field, index) =>
    parseField(fields[index] as string, field, text),
  ) as [number[], number[], number[], number[], number[]];
  const daysOfWeek = [...new Set(weekdays.map((day) => day % 7))].sort((left, right) => left - right);
  const clock = { minutes, hours, months };
  if (isAny(fields[2]) || isAny(fields[4])) return [{ ...clock, daysOfMonth, daysOfWeek }];
  return [
    { ...clock, daysOfMonth, daysOfWeek: range(0, 6) },
    { ...clock, daysOfMonth: range(1, 31), daysOfWeek },
  ];
}

/** cron takes a field that begins with a star as unrestricted. */
const isAny = (field: string | undefined): boolean => field === undefined || /^[*?]/.test(field);

function parseField(field: string, { name, min, max, names }: Field, text: string): number[] {
  const values = new Set<number>();
  const number = (word: string): number => {
    const named = names?.indexOf(word.toLowerCase()) ?? -1;
    const value = named >= 0 ? named + min : /^\d{1,2}$/.test(word) ? Number(word) : NaN;
    if (!(value >= min && value <= max)) throw invalid(text, `${name} ${word} is not from ${min} to ${max}`);
    return value;
  };
  for (const part of field.split(',')) {
    const match = /^(\*|\?|[\da-z]+(?:-[\da-z]+)?)(?:\/(\d{1,2}))?$/i.exec(part);
    if (match === null) throw invalid(text, `${name} ${JSON.stringify(part)} cannot be read`);
    const [, span = '*', step] = match;
    const every = step === undefined ? 1 : Number(step);
    if (every === 0) throw invalid(text, `${name} has a step of 0`);
    const [first = '', last] = span.split('-');
    const any = /^[*?]/.test(first);
    const from = any ? min : number(first);
    // `5/10` goes on to the end of the field, `5` is itself alone. Day 7 is Sunday again, so a star ends at 6.
    const end = names === DAYS ? 6 : max;
    const to = last !== undefined ? number(last) : any || step !== undefined ? end : from;
    if (from > to) throw invalid(text, `${name} ${part} runs backwards`);
    for (let value = from; value <= to; value += every) values.add(value);
  }
  return [...values].sort((left, right) => left - right);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function invalid(expression: string, detail: string): AppError {
  return new AppError('SCHEDULE_INVALID', { detail: `cron expression ${JSON.stringify(expression)}: ${detail}` });
}
