import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { payloadHash } from '../../domain/identifiers.ts';
import type { PayloadCipher } from '../../domain/runs/payload-store.ts';
import { createPayloadCipher } from './payload-cipher.ts';
import { keyIdOf, openBytes, sealBytes } from './sealed-bytes.ts';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const cipherOf = (...keys: string[]) => createPayloadCipher(keys) as PayloadCipher;
const bytes = Buffer.from('{"secret":"value"}');

describe('the payload cipher', () => {
  it('is absent without a key', () => {
    expect(createPayloadCipher([])).toBeNull();
  });

  it('gives back what it sealed, and never seals alike', () => {
    const cipher = cipherOf(key('k1'));
    const [first, second] = [cipher.seal(bytes), cipher.seal(bytes)];
    expect(Buffer.from(cipher.open('k1', first))).toEqual(bytes);
    expect(first).not.toEqual(second);
    expect(Buffer.from(first).includes('secret')).toBe(false);
  });

  it('opens with an older key what was sealed when that was the current one', () => {
    const [old, fresh] = [key('2025'), key('2026')];
    const sealed = cipherOf(old).seal(bytes);
    const rotated = cipherOf(fresh, old);
    expect(Buffer.from(rotated.open('2025', sealed))).toEqual(bytes);
    expect(rotated.keyId).toBe('2026');
  });

  it('names the key that is missing, and the one that does not fit', () => {
    const sealed = cipherOf(key('k1')).seal(bytes);
    expect(() => cipherOf(key('k2')).open('k1', sealed)).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_KEY_MISSING', message: expect.stringContaining('"k1"') }),
    );
    expect(() => cipherOf(key('k1')).open('k1', sealed)).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_UNREADABLE', message: expect.stringContaining('"k1"') }),
    );
  });

  it.each([0, 5, 20, -1])('refuses bytes that were changed at %i', (place) => {
    const cipher = cipherOf(key('k1'));
    const sealed = Buffer.from(cipher.seal(bytes));
    const at = place < 0 ? sealed.length + place : place;
    sealed[at] = (sealed[at] as number) ^ 1;
    expect(() => cipher.open('k1', sealed)).toThrow(expect.objectContaining({ code: 'PAYLOAD_UNREADABLE' }));
  });

  it('has addresses that only holders of the key can compute, the same for the same bytes', () => {
    const mine = key('k1');
    expect(cipherOf(mine).address(bytes)).toBe(cipherOf(mine).address(Buffer.from(bytes)));
    expect(cipherOf(mine).address(bytes)).not.toBe(cipherOf(key('k1')).address(bytes));
    expect(cipherOf(mine).address(bytes)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['without an id', randomBytes(32).toString('base64')],
    ['with an id that cannot go into metadata', `a b:${randomBytes(32).toString('base64')}`],
    ['that is too short', `k1:${randomBytes(16).toString('base64')}`],
    ['that is no base64 of 32 bytes', 'k1:secret'],
  ])('refuses a key %s without telling it', (_title, text) => {
    let thrown: Error | undefined;
    try {
      createPayloadCipher([text]);
    } catch (error) {
      thrown = error as Error;
    }
    expect(thrown).toMatchObject({
      code: 'SETUP_INCOMPLETE',
      message: expect.stringContaining('WEFT_ENCRYPTION_KEYS'),
    });
    expect(thrown?.message).not.toContain(text.slice(text.indexOf(':') + 1));
  });

  it('refuses an id that is there twice', () => {
    expect(() => createPayloadCipher([key('k1'), key('k1')])).toThrow('twice');
  });
});

describe('sealed bytes', () => {
  const hash = payloadHash('a'.repeat(64));

  it('say which key they need, and open only at their own address', () => {
    const cipher = cipherOf(key('k1'));
    const sealed = sealBytes(cipher, hash, bytes);
    expect(keyIdOf(sealed)).toBe('k1');
    expect(Buffer.from(openBytes(cipher, hash, sealed))).toEqual(bytes);
    expect(() => openBytes(cipher, payloadHash('b'.repeat(64)), sealed)).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_UNREADABLE' }),
    );
    expect(() => openBytes(null, hash, sealed)).toThrow(expect.objectContaining({ code: 'PAYLOAD_KEY_MISSING' }));
  });

  it('that were stored without a key come back as they are, with and without one', () => {
    for (const cipher of [null, cipherOf(key('k1'))]) expect(openBytes(cipher, hash, bytes)).toBe(bytes);
    expect(keyIdOf(bytes)).toBeNull();
  });
});
