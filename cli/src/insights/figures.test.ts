import { describe, expect, it } from '@jest/globals';
import { csvLine, duration, percent } from './figures.ts';

describe('figures', () => {
  it('show durations and shares as people read them', () => {
    expect([null, 0.84, 120.4, 3_441, 9_000_000].map(duration)).toEqual(['-', '0.8 ms', '120 ms', '3.4 s', '2.5 h']);
    expect([1, 0.9987, 0].map(percent)).toEqual(['100%', '99.87%', '0%']);
  });

  it('quote what would break a line of comma-separated values, and disarm formulas', () => {
    expect(csvLine(['plain', 'a,b', 'say "no"', null, -3, 'two\nlines'])).toBe(
      'plain,"a,b","say ""no""",,-3,"two\nlines"',
    );
    expect(csvLine(['=SUM(A1)', '@now', '-x', '-3'])).toBe("'=SUM(A1),'@now,'-x,-3");
  });
});
