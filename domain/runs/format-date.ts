import { AppError } from '../errors.ts';

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const two = (value: number): string => String(value).padStart(2, '0');

const DIRECTIVES: Readonly<Record<string, (at: Date) => string>> = {
  Y: (at) => String(at.getUTCFullYear()),
  m: (at) => two(at.getUTCMonth() + 1),
  d: (at) => two(at.getUTCDate()),
  H: (at) => two(at.getUTCHours()),
  M: (at) => two(at.getUTCMinutes()),
  S: (at) => two(at.getUTCSeconds()),
  B: (at) => MONTHS[at.getUTCMonth()] ?? '',
  b: (at) => (MONTHS[at.getUTCMonth()] ?? '').slice(0, 3),
  A: (at) => DAYS[at.getUTCDay()] ?? '',
  a: (at) => (DAYS[at.getUTCDay()] ?? '').slice(0, 3),
  F: (at) => at.toISOString().slice(0, 10),
  T: (at) => at.toISOString().slice(11, 19),
  '%': () => '%',
};

/**
 * A moment (ISO 8601, or milliseconds since 1970) in UTC, by directives of strftime.
 * @throws AppError TEMPLATE_FAILED
 */
export function formatDate(value: unknown, format: string): string {
  const at = new Date(typeof value === 'number' || typeof value === 'string' ? value : Number.NaN);
  if (Number.isNaN(at.getTime())) throw refused('what format_date gets is no date');
  return format.replaceAll(/%(.?)/gs, (_, directive: string) => {
    const print = Object.hasOwn(DIRECTIVES, directive) ? DIRECTIVES[directive] : undefined;
    if (!print) throw refused(`format_date knows %${Object.keys(DIRECTIVES).join(', %')}; not %${directive}`);
    return print(at);
  });
}

const refused = (detail: string): AppError => new AppError('TEMPLATE_FAILED', { detail });
