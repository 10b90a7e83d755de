import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import { LRUCache } from 'lru-cache';
import { AppError } from '../domain/errors.ts';
import { payloadHash, type PayloadHash } from '../domain/identifiers.ts';
import type { PayloadStore } from '../domain/runs/payload-store.ts';
import { BY_REFERENCE_KEY } from './payload-converter.ts';

/** Metadata that marks a payload as standing for another: the hash of the real one's data in the payload store. */
export const REFERENCE_KEY = 'weft-reference';

const PREVIEW_CHARACTERS = 300;
const JSON_ENCODING = 'json/plain';
const CACHE_BYTES = 64 * 1024 * 1024;
/** What was put is put again after this time, so that the store knows it is in use. A tenth of the time it counts as used. */
const PUT_AGAIN_MS = 360_000;
const PUTS_REMEMBERED = 100_000;

export type PayloadLimits = {
  /** Larger ones go to the store. How large they may be at all is checked where they arise, since a workflow task that cannot send its commands is tried for ever. */
  inlineBytes: number;
};

/**
 * Sends large payloads, and definitions of any size, by content hash. Runs outside the workflow sandbox, so replay sees the
 * same values as the first execution: what a hash stands for never changes.
 */
export function createPayloadCodec(store: PayloadStore, limits: PayloadLimits): PayloadCodec {
  const cache: Cache = {
    bytes: new LRUCache({ maxSize: CACHE_BYTES, sizeCalculation: (bytes) => bytes.byteLength + 100 }),
    put: new LRUCache({ max: PUTS_REMEMBERED, ttl: PUT_AGAIN_MS }),
  };
  return {
    encode: (payloads) => encodePayloads(payloads, store, limits, cache),
    decode: (payloads) => decodePayloads(payloads, store, cache.bytes),
  };
}

type Bytes = LRUCache<PayloadHash, Uint8Array>;
type Cache = { bytes: Bytes; put: LRUCache<PayloadHash, true> };

async function encodePayloads(
  payloads: Payload[],
  store: PayloadStore,
  limits: PayloadLimits,
  cache: Cache,
): Promise<Payload[]> {
  const outgoing = new Map<PayloadHash, Uint8Array>();
  const encoded = payloads.map((payload) => {
    const bytes = payload.data?.byteLength ?? 0;
    if (bytes <= limits.inlineBytes && !payload.metadata?.[BY_REFERENCE_KEY]) return payload;
    const data = payload.data ?? new Uint8Array();
    const hash = store.address(data);
    if (!cache.put.has(hash)) outgoing.set(hash, data);
    return reference(hash, data, payload.metadata?.[BY_REFERENCE_KEY] !== undefined);
  });
  if (outgoing.size > 0) {
    await store.put(outgoing);
    for (const [hash, data] of outgoing) {
      cache.put.set(hash, true);
      cache.bytes.set(hash, data);
    }
  }
  return encoded;
}

async function decodePayloads(payloads: Payload[], store: PayloadStore, cache: Bytes): Promise<Payload[]> {
  const hashes = payloads.map(referenceOf);
  const missing = hashes.filter((hash): hash is PayloadHash => hash !== null && !cache.has(hash));
  const loaded = missing.length > 0 ? await store.get([...new Set(missing)]) : new Map<PayloadHash, Uint8Array>();
  for (const [hash, data] of loaded) cache.set(hash, data);
  return payloads.map((payload, index) => {
    const hash = hashes[index];
    if (!hash) return payload;
    const data = loaded.get(hash) ?? cache.get(hash);
    if (data === undefined) throw new AppError('NOT_FOUND', { what: 'Payload', id: hash });
    return { metadata: { [METADATA_ENCODING_KEY]: utf8(JSON_ENCODING) }, data };
  });
}

/** Itself JSON, so that Temporal Web UI and CLI show what it is and how it begins. */
function reference(hash: PayloadHash, data: Uint8Array, definition: boolean): Payload {
  const bytes = data.byteLength;
  const shown = definition
    ? { $definition: hash, bytes }
    : { $payload: hash, bytes, preview: text(data.subarray(0, 4 * PREVIEW_CHARACTERS)).slice(0, PREVIEW_CHARACTERS) };
  return {
    metadata: { [METADATA_ENCODING_KEY]: utf8(JSON_ENCODING), [REFERENCE_KEY]: utf8(hash) },
    data: utf8(JSON.stringify(shown)),
  };
}

/** Of a payload that stands for another, encrypted or not. */
export function referenceOf(payload: Payload): PayloadHash | null {
  const hash = payload.metadata?.[REFERENCE_KEY];
  return hash ? payloadHash(text(hash)) : null;
}

const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
