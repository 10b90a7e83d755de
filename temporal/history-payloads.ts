import type { Payload, PayloadCodec } from '@temporalio/common';
import type { Json } from '../domain/json.ts';
import { payloadConverter } from './payload-converter.ts';

/** The values of payloads as they stand in history; absent ones and `undefined` are null. */
export type DecodePayloads = (payloads: readonly Payload[] | null | undefined) => Promise<Json[]>;

/** As workers decode them: codecs last to first, then the converter. */
export function createPayloadDecoder(codecs: readonly PayloadCodec[]): DecodePayloads {
  return async (payloads) => {
    let decoded = [...(payloads ?? [])];
    for (const codec of codecs.toReversed()) decoded = await codec.decode(decoded);
    return decoded.map((payload) => payloadConverter.fromPayload<Json | undefined>(payload) ?? null);
  };
}
