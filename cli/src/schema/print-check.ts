import type { SdlFile } from './sdl-file.ts';

export type Change = { type: string; severity: string; message: string; path: string | null };
export type Check = {
  subgraph: string;
  base: number;
  hash: string;
  unchanged: boolean;
  composes: boolean;
  breaks: boolean;
  problems: { code: string; message: string; places: { subgraph: string | null; line: number; column: number }[] }[];
  hints: { code: string; message: string }[];
  changes: Change[];
  brokenOperations: { name: string; message: string }[];
};

const MOST_SAFE = 20;

/** One line each, with its place in the files where it has one. */
export function printCheck(check: Check, sdl: SdlFile, operations: readonly { file: string }[]): void {
  const line = (text: string) => void process.stdout.write(`${text}\n`);
  for (const { code, message, places } of check.problems) {
    const own = places.find(({ subgraph }) => subgraph === check.subgraph);
    const at = own && sdl.placeOf(own.line);
    line(`${at ? `${at.file}:${at.line}:${own.column}: ` : ''}${code} ${message}`);
  }
  for (const { severity, path, message } of check.changes.filter((one) => one.severity !== 'SAFE')) {
    line(`${severity} ${path === null ? '' : `${path}: `}${message}`);
  }
  const safe = check.changes.filter(({ severity }) => severity === 'SAFE');
  for (const { message } of safe.slice(0, MOST_SAFE)) line(`SAFE ${message}`);
  if (safe.length > MOST_SAFE) line(`SAFE ... and ${safe.length - MOST_SAFE} more`);
  for (const { name, message } of check.brokenOperations) {
    line(`OPERATION ${operations[Number(name) - 1]?.file ?? name}: ${message}`);
  }
  line(verdict(check));
}

function verdict({ subgraph, base, unchanged, composes, breaks, problems }: Check): string {
  const against = base === 0 ? 'what the release came with' : `version ${base}`;
  if (unchanged) return `${subgraph} is served already (${against})`;
  if (!composes) return `${subgraph} does not compose with the other subgraphs: ${problems.length} problem(s)`;
  return breaks
    ? `${subgraph} composes, and callers may break (against ${against})`
    : `${subgraph} composes, and no caller breaks (against ${against})`;
}
