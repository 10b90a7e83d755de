import { describe, expect, it } from '@jest/globals';
import { countSyllables } from './count-syllables.ts';

const KNOWN: [number, string][] = [
  [1, 'the cat sat mat light rays make time through strength walked moves whole she be tree glass drowned rhythm'],
  [
    2,
    'water table motion bodies happen people science chaos lion create wanted boxes syntax over being simple muscles',
  ],
  [3, 'attraction particle gravity beautiful various area radio refraction media creation'],
  [4, 'philosophy mathematics community necessary intelligent'],
  [5, 'university'],
];

describe('countSyllables', () => {
  it.each(KNOWN.flatMap(([count, words]) => words.split(' ').map((word): [string, number] => [word, count])))(
    'counts %s as %i',
    (word, count) => {
      expect(countSyllables(word)).toBe(count);
    },
  );

  it('counts nothing where there are no letters', () => {
    expect(countSyllables('1859')).toBe(0);
  });
});
