import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseCron } from './cron.ts';
import { checkScheduleSpec, nextTimes, type ScheduleSpec } from './schedule-spec.ts';
import { wallTimeText } from './time-zone.ts';

const spec = (changes: Partial<ScheduleSpec>): ScheduleSpec => ({
  crons: [],
  intervals: [],
  timeZone: 'UTC',
  startAt: null,
  endAt: null,
  jitterSeconds: 0,
  ...changes,
});
const next = (changes: Partial<ScheduleSpec>, after: string, count = 3) =>
  nextTimes(spec(changes), Date.parse(after), count).map((time) => new Date(time).toISOString().slice(0, 16));

describe('parseCron', () => {
  it('reads lists, ranges, steps, names and shorthands', () => {
    expect(parseCron('*/20 8-10,22 1 jan,JUL *')).toEqual([
      {
        minutes: [0, 20, 40],
        hours: [8, 9, 10, 22],
        daysOfMonth: [1],
        months: [1, 7],
        daysOfWeek: [0, 1, 2, 3, 4, 5, 6],
      },
    ]);
    expect(parseCron('5/25 0 * * 5-7')[0]).toMatchObject({ minutes: [5, 30, 55], daysOfWeek: [0, 5, 6] });
    expect(parseCron('@daily')).toEqual(parseCron('0 0 * * *'));
  });

  it('takes two restricted days as either', () => {
    expect(parseCron('0 0 13 * 5')).toHaveLength(2);
  });

  it.each([
    '',
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * foo *',
    '*/0 * * * *',
    '10-5 * * * *',
    '@every 5m',
    '1,,2 * * * *',
  ])('refuses %s', (text) =>
    expect(() => parseCron(text)).toThrow(expect.objectContaining({ code: 'SCHEDULE_INVALID' })),
  );
});

describe('nextTimes', () => {
  it('leaves out what the change to summer time leaves out', () => {
    const daily = { crons: ['30 2 * * *'], timeZone: 'Europe/Berlin' };
    expect(next(daily, '2027-03-27T00:00:00Z')).toEqual(['2027-03-27T01:30', '2027-03-29T00:30', '2027-03-30T00:30']);
  });

  it('keeps the time on the wall over the change to winter time', () => {
    const daily = { crons: ['0 9 * * *'], timeZone: 'Europe/Berlin' };
    expect(next(daily, '2026-10-24T00:00:00Z')).toEqual(['2026-10-24T07:00', '2026-10-25T08:00', '2026-10-26T08:00']);
  });

  it('counts a repeated hour twice in New York', () => {
    const hourly = { crons: ['30 1 * * *'], timeZone: 'America/New_York' };
    expect(next(hourly, '2027-11-07T00:00:00Z')).toEqual(['2027-11-07T05:30', '2027-11-07T06:30', '2027-11-08T06:30']);
  });

  it('counts intervals from the epoch, whatever the time zone', () => {
    const intervals = [{ everySeconds: 7200, offsetSeconds: 60 }];
    expect(next({ intervals, timeZone: 'Asia/Tokyo' }, '2026-11-24T10:30:00Z', 2)).toEqual([
      '2026-11-24T12:01',
      '2026-11-24T14:01',
    ]);
  });

  it('names a time once that two expressions name', () => {
    expect(next({ crons: ['0 * * * *', '0 */2 * * *'] }, '2026-11-24T10:30:00Z')).toEqual([
      '2026-11-24T11:00',
      '2026-11-24T12:00',
      '2026-11-24T13:00',
    ]);
  });

  it('ends where nothing is left', () => {
    expect(next({ crons: ['0 0 31 2 *'] }, '2026-11-24T10:30:00Z')).toEqual([]);
    expect(next({ crons: ['@hourly'], endAt: '2026-11-24T11:00:00Z' }, '2026-11-24T10:30:00Z')).toEqual([
      '2026-11-24T11:00',
    ]);
  });

  it('gives ascending times that the wall clock shows as the expression says, on every day of any zone', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Auckland', 'UTC');
    const days = fc.integer({ min: 0, max: 3650 }).map((day) => Date.UTC(2025, 0, 1) + day * 86_400_000);
    fc.assert(
      fc.property(
        zones,
        days,
        fc.integer({ min: 0, max: 59 }),
        fc.integer({ min: 4, max: 23 }),
        (timeZone, after, minute, hour) => {
          const times = nextTimes(spec({ crons: [`${minute} ${hour} * * *`], timeZone }), after, 5);
          const text = `T${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}:00`;
          expect(times).toHaveLength(5);
          times.forEach((time, index) => {
            expect(time).toBeGreaterThan(times[index - 1] ?? after);
            expect(wallTimeText(time, timeZone).slice(10)).toBe(text);
          });
        },
      ),
    );
  });
});

describe('checkScheduleSpec', () => {
  it.each<[string, Partial<ScheduleSpec>]>([
    ['cron expression or an interval', {}],
    ['no time zone "Mars/Olympus"', { crons: ['@daily'], timeZone: 'Mars/Olympus' }],
    ['at least one second', { intervals: [{ everySeconds: 0, offsetSeconds: 0 }] }],
    ['offset', { intervals: [{ everySeconds: 60, offsetSeconds: 60 }] }],
    ['endAt must be after', { crons: ['@daily'], startAt: '2027-01-02T00:00:00Z', endAt: '2027-01-01T00:00:00Z' }],
    ['jitter', { crons: ['@daily'], jitterSeconds: -1 }],
  ])('says what is wrong: %s', (text, changes) => {
    expect(() => checkScheduleSpec(spec(changes))).toThrow(text);
  });
});
