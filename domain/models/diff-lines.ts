export type DiffLine = { kind: 'SAME' | 'REMOVED' | 'ADDED'; text: string };

/** Beyond it the middle is given as removed and added as a whole. */
const MOST_PAIRS = 1_000_000;

/** The lines of two texts, those that both have as they are, in order: as few changes as there can be. */
export function diffLines(before: string, after: string): DiffLine[] {
  const [left, right] = [before.split('\n'), after.split('\n')];
  const start = sharedStart(left, right);
  const end = sharedStart(left.slice(start).reverse(), right.slice(start).reverse());
  return [
    ...left.slice(0, start).map(line('SAME')),
    ...diffMiddle(left.slice(start, left.length - end), right.slice(start, right.length - end)),
    ...left.slice(left.length - end).map(line('SAME')),
  ];
}

const line =
  (kind: DiffLine['kind']) =>
  (text: string): DiffLine => ({ kind, text });

function sharedStart(left: readonly string[], right: readonly string[]): number {
  const differs = left.findIndex((text, index) => text !== right[index]);
  return differs === -1 ? left.length : differs;
}

function diffMiddle(left: readonly string[], right: readonly string[]): DiffLine[] {
  if (left.length * right.length > MOST_PAIRS) return [...left.map(line('REMOVED')), ...right.map(line('ADDED'))];
  const lengths = longestLengths(left, right);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const [one, other] = [left[i], right[j]];
    if (one !== undefined && one === other) {
      lines.push({ kind: 'SAME', text: one });
      [i, j] = [i + 1, j + 1];
    } else if (one !== undefined && (other === undefined || at(lengths, i + 1, j) >= at(lengths, i, j + 1))) {
      lines.push({ kind: 'REMOVED', text: one });
      i += 1;
    } else {
      lines.push({ kind: 'ADDED', text: other ?? '' });
      j += 1;
    }
  }
  return lines;
}

/** How many lines the rests from each pair of places have in common. */
function longestLengths(left: readonly string[], right: readonly string[]): number[][] {
  const lengths = Array.from({ length: left.length + 1 }, () => new Array<number>(right.length + 1).fill(0));
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      (lengths[i] as number[])[j] =
        left[i] === right[j] ? at(lengths, i + 1, j + 1) + 1 : Math.max(at(lengths, i + 1, j), at(lengths, i, j + 1));
    }
  }
  return lengths;
}

const at = (lengths: readonly number[][], i: number, j: number): number => lengths[i]?.[j] ?? 0;
