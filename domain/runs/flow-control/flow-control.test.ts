import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FlowModel, flowStep } from '../../../tests/flow-model.ts';
import { memoryFlowBoard } from '../../../tests/memory-flow-board.ts';
import { admit, type Candidate, effectivePriority, LIFT_AFTER_MS } from './admit.ts';
import { debounceDueAt } from './debounce-window.ts';
import { NO_TURNS, takeTurn, type Turns, turnOf } from './fair-turns.ts';
import type { LeaseRequest } from './flow-request.ts';
import { nextAllowedAt } from './rate-window.ts';
import { replaceOldest } from './replace-oldest.ts';

const lease = (name: string, limit: number): LeaseRequest => ({
  policy: 'CONCURRENCY',
  name,
  key: name,
  limit,
  onLimit: 'queue',
});
const candidate = (sequence: number, fields: Partial<Candidate> = {}): Candidate => ({
  runId: `run-${sequence}`,
  sequence,
  priority: 3,
  waitedMs: 0,
  leases: [],
  rate: null,
  turn: { key: '', weight: 1 },
  ...fields,
});
const capacity = { held: new Map<string, number>(), starts: new Map<string, number[]>() };
const ids = (runs: readonly Candidate[]) => runs.map(({ runId }) => runId);

describe('flow control under any interleaving of arrivals, passes, crashes and ends', () => {
  it('never exceeds a limit, never loses or keeps a lease, and admits everybody in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(flowStep, { maxLength: 60, size: 'max' }), async (steps) => {
        const model = new FlowModel(memoryFlowBoard());
        for (const step of steps) await step.run(model);
        await model.drain();
      }),
      { numRuns: 100 },
    );
  });
});

function expectRate(times: readonly number[], { limit, periodMs }: { limit: number; periodMs: number }): void {
  times.forEach((time, index) => {
    const earlier = times[index - limit];
    if (earlier !== undefined) expect(time - earlier).toBeGreaterThanOrEqual(periodMs);
  });
}

describe('admit', () => {
  it('takes all that a run asks for or nothing, and leaves nobody out whom there is room for', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 });
    const limits: Record<string, number> = { a: 1, b: 2, c: 4 };
    fc.assert(
      fc.property(
        fc.array(names, { maxLength: 30 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat(4)),
        (asked, before) => {
          const candidates = asked.map((of, index) =>
            candidate(index, { leases: of.map((name) => lease(name, limits[name] as number)) }),
          );
          const held = new Map(
            Object.entries(before).map(([name, count]) => [name, Math.min(count, limits[name] as number)]),
          );
          const { admitted, blocked } = admit(candidates, { ...capacity, held }, { turns: NO_TURNS, now: 0 });
          expect(admitted.length + blocked.length).toBe(candidates.length);
          const after = new Map(held);
          for (const { leases } of admitted) for (const { name } of leases) after.set(name, (after.get(name) ?? 0) + 1);
          for (const [name, count] of after) expect(count).toBeLessThanOrEqual(limits[name] as number);
          for (const { on } of blocked) expect(after.get(on.name)).toBe(limits[on.name]);
        },
      ),
    );
  });

  it('goes by priority, then by arrival, and lifts who has waited', () => {
    const runs = [
      candidate(1, { priority: 4 }),
      candidate(2, { priority: 2 }),
      candidate(3, { priority: 2 }),
      candidate(4, { priority: 5, waitedMs: LIFT_AFTER_MS * 4 }),
    ];
    const { admitted } = admit(runs, capacity, { turns: NO_TURNS, now: 0 });
    expect(ids(admitted)).toEqual(['run-4', 'run-2', 'run-3', 'run-1']);
    expect(effectivePriority({ priority: 5, waitedMs: LIFT_AFTER_MS * 100 })).toBe(1);
  });

  it('admits no more than it is asked to and says nothing of the rest', () => {
    const runs = [1, 2, 3, 4, 5].map((sequence) => candidate(sequence));
    const { admitted, blocked } = admit(runs, capacity, { turns: NO_TURNS, now: 0, most: 2 });
    expect([ids(admitted), blocked]).toEqual([['run-1', 'run-2'], []]);
  });

  it('gives a weight of three three times the turns, however the capacity comes', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom(0.5, 1, 2, 3, 8), { minLength: 2, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 10, maxLength: 60 }),
        (weights, portions) => {
          let waiting = weights.flatMap((weight, flow) =>
            Array.from({ length: 300 }, (_, index) =>
              candidate(index * weights.length + flow, { turn: { key: String(flow), weight } }),
            ),
          );
          let turns: Turns = NO_TURNS;
          const got = weights.map(() => 0);
          for (const most of portions) {
            const result = admit(waiting, capacity, { turns, now: 0, most });
            turns = result.turns;
            const gone = new Set(result.admitted);
            for (const { turn } of result.admitted) got[Number(turn.key)] = (got[Number(turn.key)] as number) + 1;
            waiting = waiting.filter((run) => !gone.has(run));
            // Nobody who waits is ever further behind than one turn of each.
            weights.forEach((own, left) =>
              weights.forEach((other, right) => {
                const distance = (got[left] as number) / own - (got[right] as number) / other;
                expect(Math.abs(distance)).toBeLessThanOrEqual(1 / own + 1 / other + 1e-6);
              }),
            );
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('turns', () => {
  it('are not saved up by a key that was away', () => {
    let turns = NO_TURNS;
    for (let index = 0; index < 100; index += 1) turns = takeTurn(turns, { key: 'busy', weight: 1 });
    expect(turnOf(turns, 'new')).toBe(99);
    expect(turnOf(turns, 'busy')).toBe(100);
  });
});

describe('a rate', () => {
  it('is never exceeded in any window, and lets the next one go as soon as it may', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.nat(20), { maxLength: 100 }),
        (limit, periodMs, gaps) => {
          const starts: number[] = [];
          let now = 0;
          for (const gap of gaps) {
            now += gap;
            const allowed = nextAllowedAt(starts, { limit, periodMs });
            const within = starts.filter((at) => at > now - periodMs).length;
            expect(allowed <= now).toBe(within < limit);
            if (allowed <= now) starts.push(now);
          }
          expectRate(starts, { limit, periodMs });
        },
      ),
    );
  });
});

describe('a debounced run', () => {
  it('is due a period after the last request, but never later than the longest wait after the first', () => {
    expect(debounceDueAt(0, 0, { periodMs: 10, maxWaitMs: null })).toBe(10);
    expect(debounceDueAt(0, 95, { periodMs: 10, maxWaitMs: 100 })).toBe(100);
    expect(debounceDueAt(0, 95, { periodMs: 10, maxWaitMs: null })).toBe(105);
  });
});

describe('replacing the oldest', () => {
  it('keeps the newest and stops or drops the others, whatever the numbers', () => {
    fc.assert(
      fc.property(fc.nat(10), fc.nat(10), fc.integer({ min: 1, max: 5 }), (held, waiting, limit) => {
        const all = Array.from({ length: held + waiting }, (_, index) => index);
        const { stop, drop } = replaceOldest(all.slice(0, held), all.slice(held), limit);
        const kept = all.filter((run) => !stop.includes(run) && !drop.includes(run));
        expect(kept).toEqual(all.slice(-Math.min(limit, all.length)).filter((run) => all.includes(run)));
      }),
    );
  });
});
