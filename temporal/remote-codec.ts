import type { Settings } from '../config/settings.ts';
import type { JsonObject } from '../domain/json.ts';
import type { PayloadStore } from '../domain/runs/payload-store.ts';
import { createPayloadCodecs } from './data-converter.ts';
import { payloadsFromJson, payloadsToJson } from './payload-json.ts';
import { createPayloadViewer } from './show-payloads.ts';

/** Bodies of Temporal's remote codec protocol in and out. @throws AppError INPUT_INVALID and what the codecs throw */
export type RemoteCodec = {
  encode: (body: unknown) => Promise<JsonObject>;
  decode: (body: unknown) => Promise<JsonObject>;
};

/** Encodes as workers do, and decodes for people: at most about `showBytes` an answer. */
export function createRemoteCodec(
  settings: Pick<Settings, 'WEFT_PAYLOAD_INLINE_BYTES'>,
  store: PayloadStore,
  showBytes: number,
): RemoteCodec {
  const codecs = createPayloadCodecs(settings, store);
  const show = createPayloadViewer(settings, store, showBytes);
  return {
    async encode(body) {
      let payloads = payloadsFromJson(body);
      for (const codec of codecs) payloads = await codec.encode(payloads);
      return payloadsToJson(payloads);
    },
    decode: async (body) => payloadsToJson(await show(payloadsFromJson(body))),
  };
}
