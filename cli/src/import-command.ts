import { writeFileSync } from 'node:fs';
import {
  importN8n,
  type ImportResult,
  importServerless,
  printText,
  type TextFormat,
  validateDefinition,
} from '../../sdk/src/index.ts';
import { describeProblem, readValueFile } from './definition-file.ts';
import { UsageError } from './usage-error.ts';

const SOURCES = { n8n: importN8n, serverless: importServerless } as const;
export type ImportSource = keyof typeof SOURCES;
export type ImportOptions = { to: TextFormat; out?: string; json?: boolean };

/** `weft import`: a definition out of another system's file; what did not map is said on stderr. Exit code 1 when it cannot be published as it is. */
export async function runImport(source: ImportSource, file: string, { to, out, json }: ImportOptions): Promise<number> {
  const result = importFrom(source, file);
  const problems = validateDefinition(result.definition);
  const text = printText(result.definition, to);
  if (out !== undefined) writeFileSync(out, text);
  if (json) process.stdout.write(`${JSON.stringify({ ...result, problems })}\n`);
  else {
    if (out === undefined) process.stdout.write(text);
    process.stderr.write(`${describe(result).join('\n')}\n`);
    for (const problem of problems) process.stderr.write(`${describeProblem(out ?? file, problem)}\n`);
  }
  return problems.length === 0 ? 0 : 1;
}

function importFrom(source: ImportSource, file: string): ImportResult {
  const value = readValueFile(file);
  try {
    return SOURCES[source](value);
  } catch (error) {
    const detail = (error as { fields?: { detail?: unknown } }).fields?.detail;
    throw new UsageError(`${file} cannot be imported: ${String(detail ?? (error as Error).message)}`, null);
  }
}

function describe({ definition, unmapped, triggers }: ImportResult): string[] {
  const lines = unmapped.map(({ node, reason, todo }) => `  ${node === '' ? 'all nodes' : node}: ${reason}. ${todo}`);
  const starts = triggers.map(
    ({ kind, detail, command }) => `  ${kind}: ${detail}${command === null ? '' : `\n    ${command}`}`,
  );
  return [
    `${definition.name}: ${definition.nodes.length} nodes, ${definition.edges.length} edges`,
    ...(lines.length > 0 ? ['Different, or not imported:', ...lines] : []),
    ...(starts.length > 0 ? ['To be started by:', ...starts] : []),
  ];
}
