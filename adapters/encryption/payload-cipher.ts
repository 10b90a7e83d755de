import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { AppError } from '../../domain/errors.ts';
import { payloadHash } from '../../domain/identifiers.ts';
import type { PayloadCipher } from '../../domain/runs/payload-store.ts';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = /^[\w.-]{1,64}$/;

/**
 * `keys` are texts `id:base64`; the first encrypts, all decrypt. Null for none.
 * @throws AppError SETUP_INCOMPLETE
 */
export function createPayloadCipher(keys: readonly string[]): PayloadCipher | null {
  const ring = parseKeys(keys);
  const [keyId] = ring.keys();
  if (keyId === undefined) return null;
  const current = ring.get(keyId) as Buffer;
  const addressKey = Buffer.from(hkdfSync('sha256', current, '', 'weft payload address', KEY_BYTES));
  return {
    keyId,
    address: (bytes) => payloadHash(createHmac('sha256', addressKey).update(bytes).digest('hex')),
    seal(bytes, context = '') {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, current, nonce).setAAD(Buffer.from(context));
      return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    },
    open(id, sealed, context = '') {
      const key = ring.get(id);
      if (!key) throw new AppError('PAYLOAD_KEY_MISSING', { keyId: id });
      if (sealed.byteLength < NONCE_BYTES + TAG_BYTES) throw new AppError('PAYLOAD_UNREADABLE', { keyId: id });
      try {
        const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES))
          .setAAD(Buffer.from(context))
          .setAuthTag(sealed.subarray(-TAG_BYTES));
        return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      } catch (error) {
        throw new AppError('PAYLOAD_UNREADABLE', { keyId: id }, error);
      }
    },
  };
}

/** Never tells the key itself. */
function parseKeys(texts: readonly string[]): Map<string, Buffer> {
  const ring = new Map<string, Buffer>();
  for (const [index, text] of texts.entries()) {
    const colon = text.indexOf(':');
    const id = text.slice(0, Math.max(colon, 0));
    const key = Buffer.from(text.slice(colon + 1), 'base64');
    const place = `WEFT_ENCRYPTION_KEYS: key ${index + 1}`;
    if (!KEY_ID.test(id)) {
      throw new AppError('SETUP_INCOMPLETE', {
        detail: `${place} must be id:base64, the id of letters, digits, . _ -`,
      });
    }
    if (key.length !== KEY_BYTES) {
      const detail = `${place} (${id}) has ${key.length} bytes; it must be 32, made by: openssl rand -base64 32`;
      throw new AppError('SETUP_INCOMPLETE', { detail });
    }
    if (ring.has(id)) throw new AppError('SETUP_INCOMPLETE', { detail: `${place} (${id}) is there twice` });
    ring.set(id, key);
  }
  return ring;
}
