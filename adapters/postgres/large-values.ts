import { payloadHash, type PayloadHash } from '../../domain/identifiers.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { PayloadStore } from '../../domain/runs/payload-store.ts';
import { addressOf, storageOf } from './payload-storage.ts';

const INLINE_BYTES = 16_384;
const KEY = '$payload';

/** For the payload store, by address. */
export type SpilledValues = ReadonlyMap<PayloadHash, Uint8Array> & { spill(bytes: Uint8Array): PayloadHash };

/** Empty, for values that the payload store of this pool or client takes. */
export function spilledValues(db: object): SpilledValues {
  const storage = storageOf(db);
  const values = new Map<PayloadHash, Uint8Array>();
  return Object.assign(values, {
    spill(bytes: Uint8Array) {
      const hash = addressOf(storage, bytes);
      values.set(hash, bytes);
      return hash;
    },
  });
}

/**
 * Text of `value` for a json column. Above 16 KB the bytes go into `spilled` and `{"$payload": hash, "bytes": n}` stands for them.
 * A value that itself has the key `$payload` always goes there, so whatever has it in the table is ours.
 */
export function columnText(value: Json, spilled: SpilledValues): string {
  const text = JSON.stringify(value);
  if (fitsInline(text) && !isReserved(value)) return text;
  const bytes = Buffer.from(text);
  return JSON.stringify({ [KEY]: spilled.spill(bytes), bytes: bytes.length });
}

/** As columnText, for each field of an event's payload by itself. */
export function payloadText(payload: Json, spilled: SpilledValues): string {
  if (!isJsonObject(payload) || isReserved(payload)) return columnText(payload, spilled);
  const text = JSON.stringify(payload);
  if (fitsInline(text) && !Object.values(payload).some(isReserved)) return text;
  const fields = Object.entries(payload).map(
    ([name, value]) => `${JSON.stringify(name)}:${columnText(value, spilled)}`,
  );
  return `{${fields.join(',')}}`;
}

/** What was given to columnText, one query for all. */
export async function readColumns(store: PayloadStore, values: readonly Json[]): Promise<Json[]> {
  const whole = await readReferences(store, values);
  return values.map(whole);
}

/** What was given to payloadText, one query for all. */
export async function readPayloads(store: PayloadStore, payloads: readonly Json[]): Promise<Json[]> {
  const whole = await readReferences(
    store,
    payloads.flatMap((payload) => (isJsonObject(payload) ? [payload, ...Object.values(payload)] : [])),
  );
  return payloads.map((payload) => {
    if (isReserved(payload)) return whole(payload);
    if (!isJsonObject(payload) || !Object.values(payload).some(isReserved)) return payload;
    return Object.fromEntries(Object.entries(payload).map(([name, field]) => [name, whole(field)]));
  });
}

async function readReferences(store: PayloadStore, values: readonly Json[]): Promise<(value: Json) => Json> {
  const hashes = new Set(values.flatMap((value) => hashOf(value) ?? []));
  if (hashes.size === 0) return (value) => value;
  const found = await store.get([...hashes]);
  const parsed = new Map([...found].map(([hash, bytes]) => [hash, JSON.parse(Buffer.from(bytes).toString()) as Json]));
  return (value) => {
    const hash = hashOf(value);
    return hash === undefined ? value : (parsed.get(hash) ?? value);
  };
}

/** Addresses that a payload as payloadText gives it points at. */
export function referencesIn(payload: Json): PayloadHash[] {
  if (!isJsonObject(payload)) return [];
  return [payload, ...Object.values(payload)].flatMap((value) => hashOf(value) ?? []);
}

const isReserved = (value: Json): boolean => isJsonObject(value) && Object.hasOwn(value, KEY);

function fitsInline(text: string): boolean {
  return text.length * 3 <= INLINE_BYTES || (text.length <= INLINE_BYTES && Buffer.byteLength(text) <= INLINE_BYTES);
}

function hashOf(value: Json): PayloadHash | undefined {
  return isJsonObject(value) && typeof value[KEY] === 'string' ? payloadHash(value[KEY]) : undefined;
}
