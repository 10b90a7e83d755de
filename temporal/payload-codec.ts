import { METADATA_ENCODING_KEY, type Payload, type PayloadCodec } from '@temporalio/common';
import { LRUCache } from 'lru-cache';
import { AppError } from '../domain/errors.ts';
import { payloadHash, type PayloadHash } from '../domain/identifiers.ts';
import type { PayloadStore } from '../domain/runs/payload-store.ts';
import { contentHash } from './content-hash.ts';
import { BY_REFERENCE_KEY } from './payload-converter.ts';

/** Encoding of a payload whose data is the hash of the real one in the payload store. */
export const REFERENCE_ENCODING = 'binary/weft-ref';
/** Size of the real payload's data, for people who read the history. */
export const REFERENCE_BYTES_KEY = 'weft-bytes';

const CACHE_BYTES = 64 * 1024 * 1024;

export type PayloadLimits = { inlineBytes: number; maxBytes: number };

/**
 * Sends large payloads, and definitions of any size, by content hash. Runs outside the workflow sandbox, so replay sees the
 * same values as the first execution: what a hash stands for never changes.
 */
export function createPayloadCodec(store: PayloadStore, limits: PayloadLimits): PayloadCodec {
  const cache = new LRUCache<PayloadHash, Uint8Array>({
    maxSize: CACHE_BYTES,
    sizeCalculation: (bytes) => bytes.byteLength + 100,
  });
  return {
    encode: (payloads) => encodePayloads(payloads, store, limits, cache),
    decode: (payloads) => decodePayloads(payloads, store, cache),
  };
}

type Cache = LRUCache<PayloadHash, Uint8Array>;

async function encodePayloads(
  payloads: Payload[],
  store: PayloadStore,
  limits: PayloadLimits,
  cache: Cache,
): Promise<Payload[]> {
  const outgoing = new Map<PayloadHash, Uint8Array>();
  const encoded = payloads.map((payload) => {
    const bytes = payload.data?.byteLength ?? 0;
    if (bytes > limits.maxBytes) throw new AppError('PAYLOAD_TOO_LARGE', { bytes, limitBytes: limits.maxBytes });
    if (bytes <= limits.inlineBytes && !payload.metadata?.[BY_REFERENCE_KEY]) return payload;
    const data = payload.data ?? new Uint8Array();
    const hash = payloadHash(contentHash(data));
    if (!cache.has(hash)) outgoing.set(hash, data);
    return {
      metadata: { [METADATA_ENCODING_KEY]: utf8(REFERENCE_ENCODING), [REFERENCE_BYTES_KEY]: utf8(String(bytes)) },
      data: utf8(hash),
    };
  });
  if (outgoing.size > 0) {
    await store.put(outgoing);
    for (const [hash, data] of outgoing) cache.set(hash, data);
  }
  return encoded;
}

async function decodePayloads(payloads: Payload[], store: PayloadStore, cache: Cache): Promise<Payload[]> {
  const hashes = payloads.map(referenceOf);
  const missing = hashes.filter((hash): hash is PayloadHash => hash !== null && !cache.has(hash));
  const loaded = missing.length > 0 ? await store.get([...new Set(missing)]) : new Map<PayloadHash, Uint8Array>();
  for (const [hash, data] of loaded) cache.set(hash, data);
  return payloads.map((payload, index) => {
    const hash = hashes[index];
    if (!hash) return payload;
    const data = loaded.get(hash) ?? cache.get(hash);
    if (data === undefined) throw new AppError('NOT_FOUND', { what: 'Payload', id: hash });
    return { metadata: { [METADATA_ENCODING_KEY]: utf8('json/plain') }, data };
  });
}

/** The hash that a payload stands for, or null when it carries its own data. */
export function referenceOf(payload: Payload): PayloadHash | null {
  const encoding = payload.metadata?.[METADATA_ENCODING_KEY];
  if (!encoding || text(encoding) !== REFERENCE_ENCODING) return null;
  return payloadHash(text(payload.data ?? new Uint8Array()));
}

const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
