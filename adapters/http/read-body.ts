import { Transform, Writable, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { AppError } from '../../domain/errors.ts';

export const ACCEPTED_ENCODINGS = 'gzip, deflate, br, zstd';
const DECODERS: { readonly [encoding: string]: () => Transform } = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};
/** More layers than this are an attack, not a page. */
const MOST_LAYERS = 2;

/** The decoded body. Counts bytes both as they arrive and as they unfold, and stops at the limit. */
export async function readBody(body: Readable, contentEncoding: string, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const keep = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  const layers = decodersOf(contentEncoding).flatMap((decoder) => [decoder, limited(limitBytes)]);
  await pipeline([body, limited(limitBytes), ...layers, keep]);
  return Buffer.concat(chunks);
}

function limited(limitBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      if (bytes > limitBytes) done(new AppError('HTTP_RESPONSE_TOO_LARGE', { limitBytes }));
      else done(null, chunk);
    },
  });
}

function decodersOf(contentEncoding: string): Transform[] {
  const layers = contentEncoding
    .toLowerCase()
    .split(',')
    .map((layer) => layer.trim())
    .filter((layer) => layer !== '' && layer !== 'identity')
    .toReversed();
  const decoders = layers.slice(0, MOST_LAYERS).flatMap((layer) => DECODERS[layer]?.() ?? []);
  if (decoders.length === layers.length) return decoders;
  throw new AppError('HTTP_REQUEST_INVALID', { detail: `the response has content encoding ${contentEncoding}` });
}
