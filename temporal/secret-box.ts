import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError } from '../domain/errors.ts';
import { contentHash } from './content-hash.ts';

const LEAST_CHARACTERS = 32;
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Seals small secrets for the database and signs what goes out and comes back, with keys of the settings. */
export type SecretBox = {
  /** `context` must be the same to open it: a sealed text that was copied to another place does not open there. */
  seal(secret: string, context: string): string;
  /** @throws AppError SETUP_INCOMPLETE when its key is not among those of the settings */
  open(sealed: string, context: string): string;
  /** Base64url. */
  sign(text: string): string;
  verify(text: string, signature: string): boolean;
};

type Key = { id: string; seal: Buffer; sign: Buffer };

/** The first key seals and signs, all open and verify. Without keys every use fails. @throws AppError SETUP_INCOMPLETE */
export function createSecretBox(secrets: readonly string[]): SecretBox {
  const keys = secrets.map(keyOf);
  const first = (): Key => {
    const [key] = keys;
    if (key) return key;
    throw incomplete('Set WEFT_SECRET_KEY, for instance to what `openssl rand -hex 32` gives: webhooks need it');
  };
  return {
    seal(secret, context) {
      const { id, seal } = first();
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, seal, iv).setAAD(Buffer.from(context));
      const body = Buffer.concat([iv, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `v1.${id}.${body.toString('base64url')}`;
    },
    open(sealed, context) {
      const [version, id, text = ''] = sealed.split('.');
      const key = keys.find((one) => one.id === id);
      if (version !== 'v1' || !key) {
        throw incomplete(
          'A secret was sealed by a key that is not in WEFT_SECRET_KEY: add the earlier key behind the new one',
        );
      }
      const body = Buffer.from(text, 'base64url');
      const decipher = createDecipheriv(CIPHER, key.seal, body.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(context)).setAuthTag(body.subarray(-TAG_BYTES));
      return decipher.update(body.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    },
    sign: (text) => signature(first(), text).toString('base64url'),
    verify(text, given) {
      first();
      const bytes = Buffer.from(given, 'base64url');
      return keys.some((key) => {
        const wanted = signature(key, text);
        return wanted.length === bytes.length && timingSafeEqual(wanted, bytes);
      });
    },
  };
}

function keyOf(secret: string): Key {
  if (secret.length < LEAST_CHARACTERS) {
    throw incomplete(`A key of WEFT_SECRET_KEY has fewer than ${LEAST_CHARACTERS} characters`);
  }
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, 'weft', purpose, 32));
  return { id: contentHash(derive('id')).slice(0, 12), seal: derive('seal'), sign: derive('sign') };
}

const signature = ({ sign }: Key, text: string): Buffer => createHmac('sha256', sign).update(text).digest();

const incomplete = (detail: string): AppError => new AppError('SETUP_INCOMPLETE', { detail });
