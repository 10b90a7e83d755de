import { describe, expect, it } from '@jest/globals';
import { payloadHash, type PayloadHash } from '../domain/identifiers.ts';
import type { PayloadStore } from '../domain/runs/payload-store.ts';
import { contentHash } from './content-hash.ts';
import { createPayloadCodec } from './payload-codec.ts';
import { payloadConverter } from './payload-converter.ts';

const limits = { inlineBytes: 1_000 };

function memoryStore() {
  const rows = new Map<PayloadHash, Uint8Array>();
  let puts = 0;
  const store: PayloadStore = {
    cipher: null,
    address: (bytes) => payloadHash(contentHash(bytes)),
    put(payloads) {
      puts += 1;
      for (const [hash, data] of payloads) rows.set(hash, data);
      return Promise.resolve();
    },
    get: (hashes) =>
      Promise.resolve(
        new Map(
          hashes.flatMap((hash) => {
            const data = rows.get(hash);
            return data ? [[hash, data] as const] : [];
          }),
        ),
      ),
  };
  return { store, rows, puts: () => puts };
}

const payloadOf = (value: unknown) => payloadConverter.toPayload(value);
const json = (data: Uint8Array | null | undefined) =>
  JSON.parse(new TextDecoder().decode(data ?? new Uint8Array())) as unknown;

describe('the payload codec', () => {
  it('leaves small payloads as they are', async () => {
    const { store, rows } = memoryStore();
    const codec = createPayloadCodec(store, limits);
    const payload = payloadOf({ a: 1 });
    expect(await codec.encode([payload])).toEqual([payload]);
    expect(rows.size).toBe(0);
  });

  it('sends a large payload by its hash, readable as JSON, and gives the same value back', async () => {
    const { store } = memoryStore();
    const value = { text: 'x'.repeat(5_000) };
    const [encoded] = await createPayloadCodec(store, limits).encode([payloadOf(value)]);
    expect(encoded?.data?.byteLength).toBeLessThan(600);
    expect(json(encoded?.data)).toMatchObject({ bytes: 5_011, preview: expect.stringMatching(/^\{"text":"x+$/) });
    const [decoded] = await createPayloadCodec(store, limits).decode([encoded ?? {}]);
    expect(payloadConverter.fromPayload(decoded ?? {})).toEqual(value);
  });

  it('sends a definition by its hash however small it is, and stores it once', async () => {
    const { store, rows, puts } = memoryStore();
    const codec = createPayloadCodec(store, limits);
    const definition = { weftDefinition: { name: 'tiny', nodes: [], edges: [] } };
    const [first] = await codec.encode([payloadOf(definition)]);
    const [second] = await codec.encode([payloadOf(definition)]);
    expect(second).toEqual(first);
    expect(first?.data?.byteLength).toBeLessThan(120);
    expect([rows.size, puts()]).toEqual([1, 1]);
    const [decoded] = await codec.decode([first ?? {}]);
    expect(payloadConverter.fromPayload(decoded ?? {})).toEqual(definition);
  });

  it('is not taken in by a value that looks like a reference', async () => {
    const { store } = memoryStore();
    const codec = createPayloadCodec(store, limits);
    const forged = { $payload: 'a'.repeat(64), bytes: 3 };
    const [decoded] = await codec.decode(await codec.encode([payloadOf(forged)]));
    expect(payloadConverter.fromPayload(decoded ?? {})).toEqual(forged);
  });

  it('names the hash of a payload that the store has lost', async () => {
    const [encoded] = await createPayloadCodec(memoryStore().store, limits).encode([payloadOf('x'.repeat(5_000))]);
    await expect(createPayloadCodec(memoryStore().store, limits).decode([encoded ?? {}])).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
