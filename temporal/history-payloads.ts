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
    return decoded.map((payload) => payloadConverter.fromPayload<Json | undefined>(payload) ?? null);
  };
}
