import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideScale, initialScale, type ScaleLimits, type ScaleReading, type ScaleState } from './scale-workers.ts';

const limits: fc.Arbitrary<ScaleLimits> = fc
  .record({
    min: fc.integer({ min: 0, max: 5 }),
    more: fc.integer({ min: 0, max: 10 }),
    backlogPerWorker: fc.integer({ min: 1, max: 50 }),
    maxWaitMs: fc.integer({ min: 1, max: 10_000 }),
    settleMs: fc.integer({ min: 0, max: 10_000 }),
    calmMs: fc.integer({ min: 0, max: 30_000 }),
  })
  .map(({ more, ...rest }) => ({ ...rest, max: Math.max(1, rest.min + more) }));
const load = fc.record({
  afterMs: fc.integer({ min: 1, max: 5_000 }),
  backlog: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500 })),
  oldestMs: fc.integer({ min: 0, max: 20_000 }),
});

type Step = { before: ScaleState; reading: ScaleReading; after: ScaleState; reason: string | null };

function follow(chosen: ScaleLimits, loads: readonly { afterMs: number; backlog: number; oldestMs: number }[]): Step[] {
  let state = initialScale(chosen.min);
  let at = 0;
  return loads.map(({ afterMs, backlog, oldestMs }) => {
    at += afterMs;
    const before = state;
    const reading = { at, backlog, oldestMs };
    const decision = decideScale(chosen, before, reading);
    state = decision.state;
    return { before, reading, after: state, reason: decision.reason };
  });
}

const always = (property: (steps: Step[], chosen: ScaleLimits) => void) =>
  fc.assert(
    fc.property(limits, fc.array(load, { maxLength: 80 }), (chosen, loads) => property(follow(chosen, loads), chosen)),
    { numRuns: 500 },
  );

describe('the number of workers of a queue', () => {
  it('stays within its limits, rises to at most double and falls by one', () => {
    always((steps, { min, max }) => {
      for (const { before, after } of steps) {
        expect(after.workers).toBeGreaterThanOrEqual(min);
        expect(after.workers).toBeLessThanOrEqual(max);
        expect(after.workers).toBeLessThanOrEqual(Math.max(1, before.workers * 2));
        expect(after.workers).toBeGreaterThanOrEqual(before.workers - 1);
      }
    });
  });

  it('changes only with a reason, and has none without a change', () => {
    always((steps) => {
      for (const { before, after, reason } of steps) expect(reason !== null).toBe(after.workers !== before.workers);
    });
  });

  it('rises again only when the last rise has settled', () => {
    always((steps, { settleMs }) => {
      const rises = steps.filter(({ before, after }) => after.workers > before.workers);
      for (const [index, rise] of rises.slice(1).entries())
        expect(rise.reading.at - (rises[index]?.reading.at ?? 0)).toBeGreaterThanOrEqual(settleMs);
    });
  });

  it('falls only after a whole calm time without a task that waits too long or a backlog that one fewer could not bear', () => {
    always((steps, { calmMs, maxWaitMs, backlogPerWorker }) => {
      for (const [index, { before, after, reading }] of steps.entries()) {
        if (after.workers >= before.workers) continue;
        const calm = steps.slice(0, index + 1).filter((step) => reading.at - step.reading.at < calmMs);
        for (const step of calm) {
          expect(step.reading.backlog === 0 || step.reading.oldestMs <= maxWaitMs).toBe(true);
          expect(step.reading.backlog).toBeLessThanOrEqual((before.workers - 1) * backlogPerWorker);
        }
      }
    });
  });

  it('does not swing under a load that does not change', () => {
    fc.assert(
      fc.property(limits, load, fc.integer({ min: 0, max: 15 }), (chosen, { backlog, oldestMs }, start) => {
        let state: ScaleState = { workers: start, startedAt: null, calmSince: null };
        const series = Array.from({ length: 300 }, (_, index) => {
          state = decideScale(chosen, state, { at: index * 1_000, backlog, oldestMs }).state;
          return state.workers;
        }).slice(1);
        const moves = series.slice(1).map((workers, index) => Math.sign(workers - (series[index] as number)));
        expect(new Set(moves.filter((move) => move !== 0)).size).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('rises to what the backlog asks for, and falls to the least when nothing waits', () => {
    const chosen = { min: 1, max: 4, backlogPerWorker: 10, maxWaitMs: 5_000, settleMs: 5_000, calmMs: 30_000 };
    const busy = Array.from({ length: 12 }, () => ({ afterMs: 1_000, backlog: 35, oldestMs: 100 }));
    const idle = Array.from({ length: 100 }, () => ({ afterMs: 1_000, backlog: 0, oldestMs: 0 }));
    const steps = follow(chosen, [...busy, ...idle]);
    expect(steps.filter(({ reason }) => reason !== null).map(({ after, reason }) => [after.workers, reason])).toEqual([
      [2, '35 wait'],
      [4, '35 wait'],
      [3, 'calm for 30 s'],
      [2, 'calm for 30 s'],
      [1, 'calm for 30 s'],
    ]);
  });
});
