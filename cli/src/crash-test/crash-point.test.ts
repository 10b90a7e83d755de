import { describe, expect, it } from '@jest/globals';
import { allPoints, choosePoints, pointCounter } from './crash-point.ts';

const counts = { event: 4, report: 3, call: 2, activity: 1 };

describe('the points of a crash test', () => {
  it('are all that came by, kind by kind', () => {
    const points = allPoints(counts);
    expect(points).toHaveLength(10);
    expect(points[0]).toEqual({ kind: 'event', nth: 1 });
    expect(points.at(-1)).toEqual({ kind: 'activity', nth: 1 });
  });

  it('are spread over the run when there may be only some', () => {
    const chosen = choosePoints(counts, 5);
    expect(chosen).toHaveLength(5);
    expect(new Set(chosen.map(({ kind, nth }) => `${kind}${nth}`)).size).toBe(5);
    expect(new Set(chosen.map(({ kind }) => kind)).size).toBe(4);
    expect(choosePoints(counts, 2)).toHaveLength(2);
    expect(choosePoints(counts, 100)).toEqual(allPoints(counts));
  });

  it('are met once, by kind and number', () => {
    const { reached, counts: seen } = pointCounter({ kind: 'report', nth: 2 });
    expect(['event', 'report', 'event', 'report', 'report'].map((kind) => reached(kind as 'event'))).toEqual([
      ...[false, false, false, true, false],
    ]);
    expect(seen).toEqual({ event: 2, report: 3, call: 0, activity: 0 });
  });
});
