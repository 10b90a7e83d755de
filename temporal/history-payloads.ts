import type { Payload, PayloadCodec } from '@temporalio/common';
import type { Settings } from '../config/settings.ts';
import type { Json } from '../domain/json.ts';
import type { PayloadStore } from '../domain/runs/payload-store.ts';
import { createPayloadCodecs } from './data-converter.ts';
import { payloadConverter } from './payload-converter.ts';

/** The values of payloads as they stand in history; absent ones and `undefined` are null. */
export type DecodePayloads = (payloads: readonly Payload[] | null | undefined) => Promise<Json[]>;

/** Decodes what the clients and workers of these settings encode. */
export function createHistoryDecoder(
  settings: Pick<Settings, 'WEFT_PAYLOAD_INLINE_BYTES'>,
  store: PayloadStore,
): DecodePayloads {
  return createPayloadDecoder(createPayloadCodecs(settings, store));
}

/** As workers decode them: codecs last to first, then the converter. */
export function createPayloadDecoder(codecs: readonly PayloadCodec[]): DecodePayloads {
  return async (payloads) => {
    let decoded = [...(payloads ?? [])];
    if (decoded.length === 0) return [];
    for (const codec of codecs.toReversed()) decoded = await codec.decode(decoded);
    return decoded.map(valueOf);
  };
}

const KNOWN_ENCODINGS: readonly string[] = [
  'json/plain',
  'json/plain+definition',
  'json/plain+definition-hash',
  'binary/null',
];

/** What a client of another kind has encoded in a way of its own stays as it is. */
function valueOf(payload: Payload): Json {
  const encoding = new TextDecoder().decode(payload.metadata?.['encoding'] ?? new Uint8Array());
  if (KNOWN_ENCODINGS.includes(encoding)) return payloadConverter.fromPayload<Json | undefined>(payload) ?? null;
  if (encoding.startsWith('json/')) return JSON.parse(new TextDecoder().decode(payload.data ?? undefined)) as Json;
  return { $encoding: encoding, base64: Buffer.from(payload.data ?? new Uint8Array()).toString('base64') };
}
