import type { Payload } from '@temporalio/common';
import { AppError } from '../domain/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../domain/json.ts';

/** The JSON form of protobuf: bytes are base64. @throws AppError INPUT_INVALID */
export function payloadsFromJson(body: unknown): Payload[] {
  const payloads = isJsonObject(body) ? body['payloads'] : undefined;
  if (!Array.isArray(payloads)) throw new AppError('INPUT_INVALID', { detail: 'the body must be {"payloads": [...]}' });
  return payloads.map(payloadFromJson);
}

function payloadFromJson(value: Json, index: number): Payload {
  const { metadata = {}, data = '' } = isJsonObject(value) ? value : { metadata: null };
  if (!isJsonObject(metadata) || typeof data !== 'string') {
    throw new AppError('INPUT_INVALID', { detail: `payloads[${index}] must have metadata and data` });
  }
  const entries = Object.entries(metadata).map(([name, text]) => [name, Buffer.from(String(text), 'base64')] as const);
  return { metadata: Object.fromEntries(entries), data: Buffer.from(data, 'base64') };
}

export function payloadsToJson(payloads: readonly Payload[]): { payloads: JsonObject[] } {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return {
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, bytes]) => [name, base64(bytes)])),
      data: base64(data ?? new Uint8Array()),
    })),
  };
}
