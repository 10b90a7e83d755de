import { readFile } from 'node:fs/promises';
import { UsageError } from './usage-error.ts';

/** The value of an option that is JSON, or @ and the name of a file with it; undefined where it was not given. */
export async function jsonOption(name: string, text: string | undefined): Promise<unknown> {
  if (text === undefined) return undefined;
  const json = text.startsWith('@') ? await readFile(text.slice(1), 'utf8') : text;
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new UsageError(`--${name} is not JSON: ${(error as Error).message}`, 'Write JSON in quotes, or @file.');
  }
}
