import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../json.ts';
import { LONGEST_CHAIN, upcast, type Upcasters } from './upcast.ts';
import { UPCASTERS } from './upcasters.ts';

const event = (type: string, schemaVersion: number, payload: Json) => ({
  type,
  schemaVersion,
  payload,
  occurredAt: new Date('2026-11-24T06:00:00Z'),
  position: 7n,
});
const counting = (versions: number): Upcasters => ({
  counted: Object.fromEntries(
    Array.from({ length: versions }, (_, index) => [
      index + 1,
      ({ payload }: { payload: Json }) => ({ payload: [...(payload as Json[]), index + 2] }),
    ]),
  ),
});

describe('upcasting', () => {
  it('goes version by version, from the one that was stored', () => {
    expect(upcast(counting(3), event('counted', 1, []))).toEqual(event('counted', 4, [2, 3, 4]));
    expect(upcast(counting(3), event('counted', 3, []))).toEqual(event('counted', 4, [4]));
  });

  it('leaves events of today and of unknown types alone', () => {
    for (const one of [event('counted', 4, []), event('other', 1, []), event('toString', 1, [])]) {
      expect(upcast(counting(3), one)).toBe(one);
    }
  });

  it('follows an event into another type', () => {
    const renaming: Upcasters = {
      old_name: { 1: ({ payload }) => ({ type: 'thing.done', payload }) },
      'thing.done': { 2: ({ payload }) => ({ payload: { ...(payload as object), more: null } }) },
    };
    expect(upcast(renaming, event('old_name', 1, { a: 1 }))).toEqual(event('thing.done', 3, { a: 1, more: null }));
  });

  it(`takes ${LONGEST_CHAIN} steps at most`, () => {
    expect(upcast(counting(LONGEST_CHAIN), event('counted', 1, [])).schemaVersion).toBe(LONGEST_CHAIN + 1);
    expect(() => upcast(counting(LONGEST_CHAIN + 1), event('counted', 1, []))).toThrow(
      expect.objectContaining({ code: 'EVENT_UNREADABLE' }),
    );
    const forever: Upcasters = { a: new Proxy({}, { get: () => () => ({ payload: {} }) }) };
    expect(() => upcast(forever, event('a', 1, {}))).toThrow(expect.objectContaining({ code: 'EVENT_UNREADABLE' }));
  });

  it('has no chain that is longer than it may be', () => {
    for (const versions of Object.values(UPCASTERS))
      expect(Object.keys(versions).length).toBeLessThanOrEqual(LONGEST_CHAIN);
  });
});
