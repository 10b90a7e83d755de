import { describe, expect, it } from '@jest/globals';
import { durationClass, durationOf, quantile } from './duration-classes.ts';

describe('classes of durations', () => {
  it('keep every duration within 5%', () => {
    for (let ms = 1; ms < 1e10; ms *= 1.0137) {
      expect(Math.abs(durationOf(durationClass(ms)) / ms - 1)).toBeLessThan(0.0501);
    }
    expect(durationOf(durationClass(0))).toBe(0);
  });

  it('give quantiles within 5% of those of the durations themselves, also when parts of them are added up', () => {
    let seed = 7;
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const durations = Array.from({ length: 5_000 }, () => Math.exp(random() * 12));
    const counts = new Map<number, number>();
    for (const half of [durations.slice(0, 2_000), durations.slice(2_000)]) {
      for (const ms of half) counts.set(durationClass(ms), (counts.get(durationClass(ms)) ?? 0) + 1);
    }
    const sorted = durations.toSorted((left, right) => left - right);
    for (const share of [0.01, 0.5, 0.95, 0.99, 1]) {
      const exact = sorted[Math.ceil(share * sorted.length) - 1] as number;
      expect(Math.abs((quantile(counts, share) as number) / exact - 1)).toBeLessThan(0.0501);
    }
  });

  it('give nothing of nothing', () => {
    expect(quantile(new Map(), 0.5)).toBeNull();
  });
});
