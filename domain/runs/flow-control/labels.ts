import { AppError } from '../../errors.ts';
import { isJsonObject, type Json } from '../../json.ts';

/** What a run can be searched by. */
export type Labels = Readonly<Record<string, string>>;

export const LABEL_LIMITS = { count: 20, key: 63, value: 255, characters: 1_500 } as const;
const KEY = /^[A-Za-z][A-Za-z0-9_.-]*$/;

/** @throws INPUT_INVALID */
export function parseLabels(value: Json | null | undefined): Labels {
  if (value === null || value === undefined) return {};
  if (!isJsonObject(value)) throw invalid('must be an object of texts');
  const entries = Object.entries(value);
  if (entries.length > LABEL_LIMITS.count) throw invalid(`are more than ${LABEL_LIMITS.count}`);
  let characters = 0;
  for (const [key, text] of entries) {
    if (!KEY.test(key) || key.length > LABEL_LIMITS.key) {
      throw invalid(`need names of 1 to ${LABEL_LIMITS.key} letters, digits, "_", "." and "-", a letter first`, key);
    }
    if (typeof text !== 'string' || !/^[^\p{Cc}\p{Cs}]*$/u.test(text) || text.length > LABEL_LIMITS.value) {
      throw invalid(`must be printable texts of at most ${LABEL_LIMITS.value} characters`, key);
    }
    characters += key.length + text.length + 1;
  }
  if (characters > LABEL_LIMITS.characters) throw invalid(`are longer than ${LABEL_LIMITS.characters} characters`);
  return value as Labels;
}

/** As words that Temporal's visibility can search for. */
export function labelWords(labels: Labels): string[] {
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`);
}

function invalid(message: string, key?: string): AppError {
  const path = key === undefined ? '/labels' : `/labels/${key.slice(0, 100)}`;
  return new AppError('INPUT_INVALID', { detail: `labels ${message}`, paths: [{ path, message }] });
}
