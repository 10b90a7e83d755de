import { describe, expect, it } from '@jest/globals';
import { difficultyOf, readabilityOf, readingTimeMs, wordsOf } from './readability.ts';

describe('wordsOf', () => {
  it('keeps contractions and hyphenated words whole and leaves numbers out', () => {
    expect(wordsOf("It isn't a well-known fact, in 1704, that Æther’s dense.")).toEqual([
      'It',
      "isn't",
      'a',
      'well-known',
      'fact',
      'in',
      'that',
      'Æther’s',
      'dense',
    ]);
  });
});

describe('readabilityOf', () => {
  it('gives the published scores of "The cat sat on the mat."', () => {
    expect(readabilityOf(wordsOf('The cat sat on the mat.'), 1)).toEqual({
      fleschReadingEase: 116.15,
      fleschKincaidGrade: -1.45,
    });
  });

  it('finds longer sentences of longer words harder', () => {
    const easy = readabilityOf(wordsOf('We look. We see light. It moves.'), 3);
    const hard = readabilityOf(wordsOf('Investigation of refrangibility necessitates experimental philosophy.'), 1);
    expect(hard.fleschReadingEase).toBeLessThan(easy.fleschReadingEase);
    expect(hard.fleschKincaidGrade).toBeGreaterThan(easy.fleschKincaidGrade);
  });
});

describe('difficultyOf', () => {
  it.each([
    [-1.45, 'BEGINNER'],
    [6, 'INTERMEDIATE'],
    [10, 'ADVANCED'],
    [14, 'EXPERT'],
  ])('calls grade %d %s', (grade, level) => {
    expect(difficultyOf(grade)).toBe(level);
  });
});

describe('readingTimeMs', () => {
  it('reads 230 words in a minute', () => {
    expect(readingTimeMs(230)).toBe(60_000);
  });
});
