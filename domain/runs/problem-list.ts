import type { DefinitionProblem } from './definition.ts';

export type Report = (
  code: DefinitionProblem['code'],
  path: readonly (string | number)[],
  nodeId: string | null,
  message: string,
  /** A function where the hint takes work to find; it is asked for the first problems only. */
  hint?: string | (() => string),
) => void;

const SOUGHT_HINTS = 100;
const MOST_PROBLEMS = 1000;

export function problemList(): { problems: DefinitionProblem[]; report: Report } {
  const problems: DefinitionProblem[] = [];
  const report: Report = (code, path, nodeId, message, hint) => {
    const found = typeof hint === 'function' ? (problems.length < SOUGHT_HINTS ? hint() : undefined) : hint;
    if (problems.length < MOST_PROBLEMS) {
      problems.push({ code, path: pointer(path), nodeId, message: shorten(message), hint: found ?? null });
    } else if (problems.length === MOST_PROBLEMS) {
      const rest = `There are more than ${MOST_PROBLEMS} problems; the rest is left out`;
      problems.push({ code: 'LIMIT_EXCEEDED', path: '', nodeId: null, message: rest, hint: null });
    }
  };
  return { problems, report };
}

/** RFC 6901. */
function pointer(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Names and expressions in messages may be as long as the definition is. */
function shorten(message: string): string {
  return message.length > 1000 ? `${message.slice(0, 1000)}...` : message;
}

export function didYouMean(name: string, known: readonly string[]): string {
  const guess = nearest(name, known);
  if (guess !== null) return `Did you mean ${guess}?`;
  const shown = known.slice(0, 20).join(', ');
  return `Known are ${shown}${known.length > 20 ? ', ...' : ''}.`;
}

/** The known name nearest to a mistyped one, for hints. */
export function nearest(name: string, known: readonly string[]): string | null {
  if (name.length > 40) return null;
  const near = known.filter((candidate) => Math.abs(candidate.length - name.length) <= Math.max(2, name.length / 3));
  const scored = near.map((candidate) => ({ candidate, distance: distance(name, candidate) }));
  scored.sort((left, right) => left.distance - right.distance);
  const best = scored[0];
  return best && best.distance < name.length && best.distance <= Math.max(2, name.length / 3) ? best.candidate : null;
}

/** Levenshtein 1965. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    let before = i;
    for (let j = 1; j <= right.length; j += 1) {
      const substitution = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1);
      const deletion = (row[j] as number) + 1;
      before = before < deletion ? before + 1 : deletion;
      if (substitution < before) before = substitution;
      next.push(before);
    }
    row = next;
  }
  return row[right.length] as number;
}
