import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { AppError } from '../../domain/errors.ts';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Keeps keys of a database in a form that only holders of the settings' secret can use. */
export type KeyWrap = {
  wrap(key: Uint8Array, context: string): string;
  /** @throws AppError SETUP_INCOMPLETE, PAYLOAD_UNREADABLE */
  unwrap(wrapped: string, context: string): Buffer;
};

/** The first secret wraps, all unwrap. Null without one. */
export function createKeyWrap(secrets: readonly string[]): KeyWrap | null {
  const keys = secrets.map((secret) => {
    const key = Buffer.from(hkdfSync('sha256', secret, 'weft', 'keys of the database', KEY_BYTES));
    return { id: createHash('sha256').update(key).digest('hex').slice(0, 12), key };
  });
  const [first] = keys;
  if (!first) return null;
  return {
    wrap(key, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, first.key, nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
      return `${first.id}.${body.toString('base64url')}`;
    },
    unwrap(wrapped, context) {
      const [id, text = ''] = wrapped.split('.');
      const key = keys.find((one) => one.id === id)?.key;
      if (!key) {
        const detail =
          'a key of the database was wrapped by a secret that is not in WEFT_SECRET_KEY: add it behind the new one';
        throw new AppError('SETUP_INCOMPLETE', { detail });
      }
      const body = Buffer.from(text, 'base64url');
      try {
        const decipher = createDecipheriv(ALGORITHM, key, body.subarray(0, NONCE_BYTES))
          .setAAD(Buffer.from(context))
          .setAuthTag(body.subarray(-TAG_BYTES));
        return Buffer.concat([decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      } catch (error) {
        throw new AppError('PAYLOAD_UNREADABLE', { keyId: String(id) }, error);
      }
    },
  };
}
