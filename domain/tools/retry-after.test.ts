import { describe, expect, it } from '@jest/globals';
import { retryAfterMs } from './retry-after.ts';

const NOW = Date.parse('2026-11-24T06:00:00Z');

describe('retryAfterMs', () => {
  it.each([
    ['7', 7_000],
    [' 0 ', 0],
    ['0.5', 500],
    ['Tue, 24 Nov 2026 06:00:30 GMT', 30_000],
    ['Tue, 24 Nov 2026 05:00:00 GMT', 0],
    ['999999999', 3_600_000],
    ['soon', undefined],
    ['-5', undefined],
    ['', undefined],
    [null, undefined],
    [undefined, undefined],
  ])('reads %j as %j', (header, expected) => {
    expect(retryAfterMs(header, NOW)).toBe(expected);
  });
});
