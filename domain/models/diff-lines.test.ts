import { describe, expect, it } from '@jest/globals';
import { diffLines } from './diff-lines.ts';

const shown = (before: string, after: string) =>
  diffLines(before, after).map(({ kind, text }) => `${{ SAME: ' ', REMOVED: '-', ADDED: '+' }[kind]}${text}`);

describe('the lines of two texts', () => {
  it('that both have stay, whatever stands around them', () => {
    expect(shown('a\nb\nc\nd', 'a\nc\nx\nd\ne')).toEqual([' a', '-b', ' c', '+x', ' d', '+e']);
    expect(shown('same', 'same')).toEqual([' same']);
    expect(shown('a\na\na', 'a\na')).toEqual([' a', ' a', '-a']);
    expect(shown('', 'x')).toEqual(['-', '+x']);
  });

  it('give both texts back, also where they are too long to be compared line by line', () => {
    const many = (word: string) => Array.from({ length: 3_000 }, (_, index) => `${word}${index % 7}`).join('\n');
    const [before, after] = [`head\n${many('a')}\ntail`, `head\n${many('b')}\ntail`];
    const lines = diffLines(before, after);
    const of = (other: string) => lines.flatMap(({ kind, text }) => (kind === other ? [] : [text])).join('\n');
    expect([of('ADDED'), of('REMOVED')]).toEqual([before, after]);
  });
});
