import { AppError } from '../../domain/errors.ts';
import type { PayloadHash } from '../../domain/identifiers.ts';
import type { PayloadCipher } from '../../domain/runs/payload-store.ts';

/** What JSON never begins with. */
const MARK = Buffer.from([0x00, 0x77, 0x01]);

/** As it is stored: a mark, the key's id with its length, and what the cipher gave, bound to the address. */
export function sealBytes(cipher: PayloadCipher, hash: PayloadHash, bytes: Uint8Array): Uint8Array {
  const keyId = Buffer.from(cipher.keyId);
  return Buffer.concat([MARK, Buffer.from([keyId.length]), keyId, cipher.seal(bytes, hash)]);
}

/**
 * Bytes without the mark were stored without a key and come back as they are.
 * @throws AppError PAYLOAD_KEY_MISSING, PAYLOAD_UNREADABLE
 */
export function openBytes(cipher: PayloadCipher | null, hash: PayloadHash, stored: Uint8Array): Uint8Array {
  const keyId = keyIdOf(stored);
  if (keyId === null) return stored;
  if (cipher === null) throw new AppError('PAYLOAD_KEY_MISSING', { keyId });
  return cipher.open(keyId, stored.subarray(MARK.length + 1 + Buffer.byteLength(keyId)), hash);
}

/** Null for bytes that are not encrypted. */
export function keyIdOf(stored: Uint8Array): string | null {
  const head = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  if (!head.subarray(0, MARK.length).equals(MARK)) return null;
  return head.toString('utf8', MARK.length + 1, MARK.length + 1 + (head[MARK.length] ?? 0));
}
