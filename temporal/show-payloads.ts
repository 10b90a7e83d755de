import type { Payload } from '@temporalio/common';
import type { Settings } from '../config/settings.ts';
import { AppError } from '../domain/errors.ts';
import { isJsonObject, type Json } from '../domain/json.ts';
import type { PayloadStore } from '../domain/runs/payload-store.ts';
import { createPayloadCodec, referenceOf } from './payload-codec.ts';
import { createEncryptionCodec } from './payload-encryption.ts';

export type ShowPayloads = (payloads: readonly Payload[]) => Promise<Payload[]>;

/**
 * Decodes for people to look at. A value that the store has lost, or that would make the whole larger than `maxBytes`, stays the
 * reference that it is, which shows how it begins.
 */
export function createPayloadViewer(
  settings: Pick<Settings, 'WEFT_PAYLOAD_INLINE_BYTES'>,
  store: PayloadStore,
  maxBytes: number,
): ShowPayloads {
  const encryption = createEncryptionCodec(store.cipher);
  const references = createPayloadCodec(store, { inlineBytes: settings.WEFT_PAYLOAD_INLINE_BYTES });
  return async (payloads) => {
    const shown: Payload[] = [];
    let left = maxBytes;
    for (const payload of await encryption.decode([...payloads])) {
      const whole = bytesOf(payload) <= left ? await expand(payload) : payload;
      left -= whole.data?.byteLength ?? 0;
      shown.push(whole);
    }
    return shown;
  };

  async function expand(payload: Payload): Promise<Payload> {
    if (!referenceOf(payload)) return payload;
    try {
      const [whole] = await references.decode([payload]);
      return whole ?? payload;
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND') return payload;
      throw error;
    }
  }
}

/** Of the value that it is or stands for. */
function bytesOf(payload: Payload): number {
  const own = payload.data?.byteLength ?? 0;
  if (!referenceOf(payload)) return own;
  const shown = JSON.parse(new TextDecoder().decode(payload.data ?? new Uint8Array())) as Json;
  return isJsonObject(shown) && typeof shown['bytes'] === 'number' ? shown['bytes'] : own;
}
