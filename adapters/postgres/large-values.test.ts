import { describe, expect, it } from '@jest/globals';
import { payloadHash, type PayloadHash } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import type { PayloadStore } from '../../domain/runs/payload-store.ts';
import { columnText, payloadText, readColumns, readPayloads, spilledValues } from './large-values.ts';

function storeOf(bytes: ReadonlyMap<PayloadHash, Uint8Array>, asked: PayloadHash[][] = []): PayloadStore {
  return {
    cipher: null,
    address: () => payloadHash(''),
    put: () => Promise.resolve(),
    get: (hashes) => {
      asked.push([...hashes]);
      return Promise.resolve(new Map([...bytes].filter(([hash]) => hashes.includes(hash))));
    },
  };
}
const big = 'é'.repeat(9_000);

describe('values of a json column', () => {
  it.each<[string, Json]>([
    ['small', { a: [1, 'two', null] }],
    ['larger than 16 KB in UTF-8 only', big],
    ['an object that looks like a reference', { $payload: 'f'.repeat(64), bytes: 1 }],
    ['an object with a field that looks like one', { inner: { $payload: 'f'.repeat(64) } }],
  ])('come back as they were: %s', async (_title, value) => {
    const spilled = spilledValues({});
    const text = columnText(value, spilled);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(16_384);
    expect(await readColumns(storeOf(spilled), [JSON.parse(text) as Json])).toEqual([value]);
  });

  it('stay in the column up to 16,384 bytes', () => {
    const spilled = spilledValues({});
    expect(columnText('x'.repeat(16_382), spilled)).toHaveLength(16_384);
    expect(spilled.size).toBe(0);
    columnText('x'.repeat(16_383), spilled);
    expect(spilled.size).toBe(1);
  });

  it('keep the reference when the bytes are gone', async () => {
    const text = columnText(big, spilledValues({}));
    expect(await readColumns(storeOf(new Map()), [JSON.parse(text) as Json])).toEqual([JSON.parse(text)]);
  });
});

describe('payloads of events', () => {
  it('put only their large fields aside and read all of them by one query', async () => {
    const spilled = spilledValues({});
    const payloads: Json[] = [
      { nodeId: 'a', output: big },
      { nodeId: 'b', output: { $payload: 'no reference' } },
      { nodeId: 'c', output: { deep: { $payload: 'f'.repeat(64) } } },
      null,
      ['list'],
    ];
    const texts = payloads.map((payload) => payloadText(payload, spilled));
    expect(JSON.parse(texts[0] as string)).toMatchObject({ nodeId: 'a', output: { bytes: 18_002 } });
    const asked: PayloadHash[][] = [];
    const read = await readPayloads(
      storeOf(spilled, asked),
      texts.map((text) => JSON.parse(text) as Json),
    );
    expect(read).toEqual(payloads);
    expect(asked).toHaveLength(1);
  });
});
