import { describe, expect, it } from '@jest/globals';
import { searchText } from './search-text.ts';

describe('the words of a value', () => {
  it('are its texts and numbers, at any depth, without the names of fields', () => {
    expect(
      searchText({ title: 'Rain in April', tags: ['wheat', { deep: 'soil' }], amount: 12.5, ok: true, none: null }),
    ).toBe('Rain in April wheat soil 12.5');
    expect(searchText(null)).toBe('');
  });

  it('end where a value is too long, and are cut where a word is', () => {
    expect(searchText(Array.from({ length: 100_000 }, () => 'word')).length).toBeLessThanOrEqual(50_000);
    expect(searchText(`${'x'.repeat(1_000)} after\0it`)).toBe(`${'x'.repeat(64)} after it`);
  });
});
