import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { AppError } from '../domain/errors.ts';
import type { PayloadCipher } from '../domain/runs/payload-store.ts';
import { REFERENCE_KEY } from './payload-codec.ts';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** As Temporal's own samples have it, in every language. */
const ENCRYPTED = 'binary/encrypted';
const KEY_ID_KEY = 'encryption-key-id';

/**
 * Encrypts payloads whole, metadata included. What a payload stands for stays readable to whoever has to know which stored
 * payloads are in use and has no key. Without a cipher it leaves payloads alone, and names the key that is missing.
 */
export function createEncryptionCodec(cipher: PayloadCipher | null): PayloadCodec {
  return {
    encode: (payloads) => Promise.resolve(cipher ? payloads.map((payload) => encrypt(cipher, payload)) : payloads),
    decode: async (payloads) => payloads.map((payload) => decrypt(cipher, payload)),
  };
}

function encrypt(cipher: PayloadCipher, payload: Payload): Payload {
  const reference = payload.metadata?.[REFERENCE_KEY];
  return {
    metadata: {
      [METADATA_ENCODING_KEY]: utf8(ENCRYPTED),
      [KEY_ID_KEY]: utf8(cipher.keyId),
      ...(reference ? { [REFERENCE_KEY]: reference } : {}),
    },
    data: cipher.seal(PayloadMessage.encode(payload).finish()),
  };
}

function decrypt(cipher: PayloadCipher | null, payload: Payload): Payload {
  const { [METADATA_ENCODING_KEY]: encoding, [KEY_ID_KEY]: key } = payload.metadata ?? {};
  if (!encoding || text(encoding) !== ENCRYPTED) return payload;
  const keyId = key ? text(key) : '';
  if (cipher === null) throw new AppError('PAYLOAD_KEY_MISSING', { keyId });
  return PayloadMessage.decode(cipher.open(keyId, payload.data ?? new Uint8Array()));
}

const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
