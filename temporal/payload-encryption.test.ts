import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Payload } from '@temporalio/common';
import { createPayloadCipher } from '../adapters/encryption/payload-cipher.ts';
import { createPayloadDecoder } from './history-payloads.ts';
import { REFERENCE_KEY } from './payload-codec.ts';
import { payloadConverter } from './payload-converter.ts';
import { createEncryptionCodec } from './payload-encryption.ts';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const K1 = key('k1');
const codecOf = (...keys: string[]) => createEncryptionCodec(createPayloadCipher(keys));
const payloadOf = (value: unknown) => payloadConverter.toPayload(value);
const metadata = (payload: Payload | undefined, name: string) =>
  Buffer.from(payload?.metadata?.[name] ?? []).toString();

describe('the encryption of payloads', () => {
  it('leaves them alone without a key', async () => {
    const payloads = [payloadOf({ a: 1 })];
    expect(await codecOf().encode(payloads)).toBe(payloads);
    expect(await codecOf().decode(payloads)).toEqual(payloads);
  });

  it('hides value and metadata, and names the key', async () => {
    const [sealed] = await codecOf(K1).encode([payloadOf({ name: 'needle' })]);
    expect(metadata(sealed, 'encoding')).toBe('binary/encrypted');
    expect(metadata(sealed, 'encryption-key-id')).toBe('k1');
    expect(Buffer.from(sealed?.data ?? []).includes('needle')).toBe(false);
    expect(await createPayloadDecoder([codecOf(K1)])([sealed as Payload])).toEqual([{ name: 'needle' }]);
  });

  it('lets the address of a reference be read without the key', async () => {
    const payload = payloadOf({ $payload: 'abc' });
    const reference = { ...payload, metadata: { ...payload.metadata, [REFERENCE_KEY]: Buffer.from('abc') } };
    const [sealed] = await codecOf(K1).encode([reference]);
    expect(metadata(sealed, REFERENCE_KEY)).toBe('abc');
    const [opened] = await codecOf(K1).decode([sealed as Payload]);
    expect(metadata(opened, REFERENCE_KEY)).toBe('abc');
    expect(payloadConverter.fromPayload(opened as Payload)).toEqual({ $payload: 'abc' });
  });

  it('reads what was written before there was a key and under an older one', async () => {
    const [plain] = await codecOf().encode([payloadOf('plain')]);
    const [old] = await codecOf(K1).encode([payloadOf('old')]);
    const decode = createPayloadDecoder([codecOf(key('k2'), K1)]);
    expect(await decode([plain as Payload, old as Payload])).toEqual(['plain', 'old']);
  });

  it('names the key that is missing', async () => {
    const sealed = await codecOf(K1).encode([payloadOf('x')]);
    for (const codec of [codecOf(), codecOf(key('k2'))]) {
      await expect(codec.decode(sealed)).rejects.toMatchObject({
        code: 'PAYLOAD_KEY_MISSING',
        message: expect.stringContaining('"k1"'),
        hint: expect.stringContaining('id:base64'),
      });
    }
  });
});
