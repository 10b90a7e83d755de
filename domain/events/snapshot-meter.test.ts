import { describe, expect, it } from '@jest/globals';
import type { Json } from '../json.ts';
import { SnapshotMeter, type SnapshotPolicy } from './snapshot-meter.ts';

const NEVER: SnapshotPolicy = { events: Infinity, bytes: Infinity, ageMs: Infinity };

function kept(policy: Partial<SnapshotPolicy>, events: readonly { at?: number; payload?: Json }[]): number[] {
  const meter = new SnapshotMeter({ ...NEVER, ...policy });
  return events.flatMap(({ at = 0, payload = {} }, index) =>
    meter.after({ occurredAt: new Date(at), payload }) ? [index + 1] : [],
  );
}

describe('the state of a run is kept', () => {
  it('after so many events', () => {
    expect(
      kept(
        { events: 3 },
        Array.from({ length: 10 }, () => ({})),
      ),
    ).toEqual([3, 6, 9]);
  });

  it('after so much that the events carry', () => {
    const events = [10, 400, 700, 10, 2_000, 10].map((length) => ({ payload: { output: 'x'.repeat(length) } }));
    expect(kept({ bytes: 1_000 }, events)).toEqual([3, 5]);
  });

  it('after so long, counted from the event at which it was kept last', () => {
    const events = [0, 500, 1_100, 1_200, 2_050, 2_150].map((at) => ({ at }));
    expect(kept({ ageMs: 1_000 }, events)).toEqual([3, 6]);
  });
});
