import type { PlacedProblem } from '../../sdk/src/index.ts';
import { describeProblem, readDefinitionFile } from './definition-file.ts';

/** `weft validate`: every problem of every file. Gives the exit code. */
export async function runValidate(files: readonly string[], { json }: { json?: boolean }): Promise<number> {
  const results = [];
  for (const argument of files) {
    const { file, value, problems } = await readDefinitionFile(argument);
    const name = (value as { name?: unknown } | null | undefined)?.name ?? null;
    results.push({ file, name, valid: problems.length === 0, problems });
  }
  if (json) process.stdout.write(`${JSON.stringify(results.length === 1 ? results[0] : results)}\n`);
  else {
    for (const { file, valid, problems } of results) {
      if (valid) process.stdout.write(`${file} is valid\n`);
      else
        process.stdout.write(
          `${problems
            .toSorted(byPlace)
            .map((problem) => describeProblem(file, problem))
            .join('\n')}\n`,
        );
    }
  }
  return results.every(({ valid }) => valid) ? 0 : 1;
}

function byPlace(left: PlacedProblem, right: PlacedProblem): number {
  return (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0);
}
