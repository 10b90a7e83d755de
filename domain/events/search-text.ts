import type { Json } from '../json.ts';

/** A text index is no archive: beyond this the words of a value are not looked at. */
const MOST_CHARACTERS = 50_000;
const LONGEST_WORD = 64;

/** The words of a value, names of fields left out, as one text. */
export function searchText(value: Json): string {
  const parts: string[] = [];
  let left = MOST_CHARACTERS;
  const add = (text: string) => {
    const taken = text.slice(0, left);
    left -= taken.length + 1;
    if (taken !== '') parts.push(taken);
  };
  const visit = (one: Json): void => {
    if (left <= 0 || one === null || typeof one === 'boolean') return;
    if (typeof one === 'string') add(one);
    else if (typeof one === 'number') add(String(one));
    else for (const member of Array.isArray(one) ? one : Object.values(one)) visit(member);
  };
  visit(value);
  return shortened(parts.join(' '));
}

/** No word of a text longer than an index takes, and no NUL, which Postgres cannot hold. */
const shortened = (text: string): string =>
  text
    .replaceAll('\0', ' ')
    .replace(/\S+/g, (word) => (word.length > LONGEST_WORD ? word.slice(0, LONGEST_WORD) : word));
