import type { MediaSource } from '../../domain/models/message.ts';

const DATA_URL = /^data:([^;,]+);base64,(.*)$/s;

export const dataUrl = (source: MediaSource): string =>
  'url' in source ? source.url : `data:${source.mediaType};base64,${source.data}`;

/** Base64 and media type of what is at hand; null for an address elsewhere. */
export function inlineOf(source: MediaSource): { data: string; mediaType: string } | null {
  if ('data' in source) return source;
  const [, mediaType, data] = DATA_URL.exec(source.url) ?? [];
  return mediaType === undefined || data === undefined ? null : { data, mediaType };
}
