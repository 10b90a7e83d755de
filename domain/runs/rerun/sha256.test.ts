import { createHash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sha256 } from './sha256.ts';

it('gives what the crypto module gives, for any text', () => {
  const expected = (text: string) => createHash('sha256').update(text).digest('hex');
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 200 }));
  fc.assert(fc.property(text, (one) => sha256(one) === expected(one)));
  for (const one of ['', 'a'.repeat(55), 'a'.repeat(56), 'é'.repeat(64), '\ud800', 'x'.repeat(100_000)]) {
    expect(sha256(one)).toBe(expected(one));
  }
});
