import type { ContentAnalysis, DifficultyLevel } from './content-analysis.ts';
import { countSyllables } from './count-syllables.ts';

const WORDS_PER_MINUTE = 230;
/** Words with letters; contractions and hyphenated words are one. */
const WORD = /\p{L}[\p{L}\p{M}\p{N}]*(?:['’-][\p{L}\p{N}]+)*/gu;

export function wordsOf(text: string): string[] {
  return text.match(WORD) ?? [];
}

export function readingTimeMs(words: number): number {
  return Math.round((words / WORDS_PER_MINUTE) * 60_000);
}

export function readabilityOf(
  words: readonly string[],
  sentences: number,
): NonNullable<ContentAnalysis['readability']> {
  const wordsPerSentence = words.length / sentences;
  const syllablesPerWord = words.reduce((sum, word) => sum + countSyllables(word), 0) / words.length;
  return {
    fleschReadingEase: round(206.835 - 1.015 * wordsPerSentence - 84.6 * syllablesPerWord),
    fleschKincaidGrade: round(0.39 * wordsPerSentence + 11.8 * syllablesPerWord - 15.59),
  };
}

/** School grades: to 6, to 10 (end of compulsory school), to 14 (college), beyond. */
export function difficultyOf(fleschKincaidGrade: number): DifficultyLevel {
  if (fleschKincaidGrade < 6) return 'BEGINNER';
  if (fleschKincaidGrade < 10) return 'INTERMEDIATE';
  return fleschKincaidGrade < 14 ? 'ADVANCED' : 'EXPERT';
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
