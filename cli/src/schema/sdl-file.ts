import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../usage-error.ts';

export type SdlFile = {
  text: string;
  /** The file and line of a line of the text. */
  placeOf: (line: number) => { file: string; line: number };
};

const FILES = /\.(graphql|graphqls|gql)$/;

/** A file, or all of a folder as one text. @throws UsageError */
export function readSdlFile(path: string): SdlFile {
  const files = filesAt(path);
  const texts = files.map((file) => readFileSync(file, 'utf8'));
  return {
    text: texts.join('\n'),
    placeOf(line) {
      let before = 0;
      for (const [index, text] of texts.entries()) {
        const lines = text.split('\n').length;
        if (line <= before + lines) return { file: files[index] as string, line: line - before };
        before += lines;
      }
      return { file: path, line };
    },
  };
}

/** Each file on its own. @throws UsageError */
export const readOperations = (paths: readonly string[]): { file: string; text: string }[] =>
  paths.flatMap(filesAt).map((file) => ({ file, text: readFileSync(file, 'utf8') }));

function filesAt(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined)
    throw new UsageError(`There is no file ${path}`, 'Give a file of SDL, or a folder of such files.');
  if (!found.isDirectory()) return [path];
  const files = readdirSync(path).filter((name) => FILES.test(name));
  if (files.length === 0)
    throw new UsageError(`There is no .graphql file in ${path}`, 'Give a file of SDL, or a folder of such files.');
  return files.sort().map((name) => join(path, name));
}
