import { describe, expect, it } from '@jest/globals';
import { cachePolicy } from './cache-policy.ts';

describe('the cache policy of an answer', () => {
  it.each([
    [undefined, 0, false],
    ['max-age=60, public', 60, false],
    ['private, max-age=5', 5, true],
    ['Public, Max-Age="30", s-maxage=10', 10, false],
    ['public', 0, false],
    ['no-store, max-age=60', 0, false],
    ['no-cache, max-age=60', 0, false],
    ['max-age=-1', 0, false],
  ])('is read from %p', (header, maxAge, isPrivate) => {
    expect(cachePolicy(header)).toEqual({ maxAge, private: isPrivate });
  });
});
