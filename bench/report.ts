import { aligned } from '../cli/src/aligned.ts';

export type Goal = { atMost: number } | { atLeast: number };
export type BenchResult = {
  name: string;
  value: number;
  unit: string;
  /** What `value` is compared with, measured in the same call. */
  baseline: number;
  ratio: number;
  goal: string;
  holds: boolean;
};

type Measured = { name: string; unit: string; value: number; baseline: number; goal: Goal };

/** `ratio` is value / baseline; the goal is about the ratio. */
export function compared({ name, unit, value, baseline, goal }: Measured): BenchResult {
  return judged({ name, unit, value, baseline, ratio: value / baseline, goal });
}

export function judged(result: Measured & { ratio: number }): BenchResult {
  const { name, unit, value, baseline, ratio, goal } = result;
  const holds = 'atMost' in goal ? ratio <= goal.atMost : ratio >= goal.atLeast;
  const text = 'atMost' in goal ? `<= ${goal.atMost}` : `>= ${goal.atLeast}`;
  return { name, unit, value: round(value), baseline: round(baseline), ratio: round(ratio), goal: text, holds };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function table(suite: string, results: readonly BenchResult[]): string {
  return aligned([
    ['', suite, 'value', 'baseline', 'ratio', 'goal'],
    ...results.map((result) => [
      result.holds ? 'ok' : 'MISSED',
      result.name,
      `${result.value} ${result.unit}`,
      `${result.baseline} ${result.unit}`,
      String(result.ratio),
      result.goal,
    ]),
  ]);
}

function round(value: number): number {
  return value === 0 || !Number.isFinite(value) ? value : Number(value.toPrecision(4));
}
