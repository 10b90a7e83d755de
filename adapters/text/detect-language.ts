import { eld } from 'eld/small';

/** Beginnings of a text this long name its language as surely as the whole. */
const SAMPLE = 4_000;

/** ISO 639-1 code, or null when the text is too short or too mixed to say. */
export function detectLanguage(text: string): string | null {
  const { language, isReliable } = eld.detect(text.slice(0, SAMPLE));
  return language !== '' && isReliable() ? language : null;
}
