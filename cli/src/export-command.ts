import { writeFileSync } from 'node:fs';
import { canonicalJson, printText, type TextFormat } from '../../sdk/src/index.ts';
import { readValidDefinition } from './definition-file.ts';

export type ExportOptions = { to: TextFormat | 'canonical'; out?: string };

/** `weft export`: a definition in another of its forms. */
export async function runExport(argument: string, { to, out }: ExportOptions): Promise<number> {
  const definition = await readValidDefinition(argument);
  const text = to === 'canonical' ? canonicalJson(definition) : printText(definition, to);
  if (out === undefined) process.stdout.write(text);
  else writeFileSync(out, text);
  return 0;
}
