import { describe, expect, it } from '@jest/globals';
import { rotated, validSecrets } from './webhook.ts';

const secret = (sealed: string) => ({ sealed, createdAt: '2026-11-24T10:00:00.000Z', expiresAt: null });
const now = Date.parse('2026-11-24T12:00:00Z');
const sealedOf = (secrets: readonly { sealed: string }[]) => secrets.map(({ sealed }) => sealed);

describe('rotating a secret', () => {
  it('keeps the one before for the grace, and two at most', () => {
    const two = rotated([secret('a')], { sealed: 'b' }, { now, graceMs: 60_000 });
    expect(sealedOf(validSecrets(two, now + 59_999))).toEqual(['b', 'a']);
    expect(sealedOf(validSecrets(two, now + 60_000))).toEqual(['b']);
    const three = rotated(two, { sealed: 'c' }, { now: now + 1, graceMs: 600_000 });
    expect(sealedOf(three)).toEqual(['c', 'b']);
  });

  it('ends the one before at once when there is no grace', () => {
    expect(sealedOf(rotated([secret('a')], { sealed: 'b' }, { now, graceMs: 0 }))).toEqual(['b']);
  });
});
