import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { Settings } from '../config/settings.ts';
import type { PayloadStore } from '../domain/runs/payload-store.ts';
import { createPayloadCodec } from './payload-codec.ts';

export const payloadConverterPath = fileURLToPath(import.meta.resolve('./payload-converter.ts'));

type PayloadSettings = Pick<Settings, 'WEFT_PAYLOAD_INLINE_BYTES'>;

/** The same for clients, workers and replay. */
export function createDataConverter(settings: PayloadSettings, store: PayloadStore): DataConverter {
  return {
    payloadConverterPath,
    payloadCodecs: [createPayloadCodec(store, { inlineBytes: settings.WEFT_PAYLOAD_INLINE_BYTES })],
  };
}
