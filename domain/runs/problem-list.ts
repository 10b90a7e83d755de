import type { DefinitionProblem, ProblemCode } from './definition.ts';

export type Report = (
  code: ProblemCode,
  path: readonly (string | number)[],
  nodeId: string | null,
  message: string,
  hint?: string,
) => void;

export function problemList(): { problems: DefinitionProblem[]; report: Report } {
  const problems: DefinitionProblem[] = [];
  const report: Report = (code, path, nodeId, message, hint) => {
    problems.push({ code, path: pointer(path), nodeId, message, hint: hint ?? null });
  };
  return { problems, report };
}

/** RFC 6901. */
function pointer(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The known name nearest to a mistyped one, for hints. */
export function nearest(name: string, known: readonly string[]): string | null {
  const scored = known.map((candidate) => ({ candidate, distance: distance(name, candidate) }));
  scored.sort((left, right) => left.distance - right.distance);
  const best = scored[0];
  return best && best.distance < name.length && best.distance <= Math.max(2, name.length / 3) ? best.candidate : null;
}

/** Levenshtein 1965. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const substitution = (row[j - 1] as number) + Number(left[i - 1] !== right[j - 1]);
      next.push(Math.min(substitution, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[right.length] as number;
}
