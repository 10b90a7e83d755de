import { createHash } from 'node:crypto';
import { NO_CAPABILITIES } from '../../domain/models/capabilities.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import { unsupported } from './model-error.ts';

const PROVIDER = 'offline-lexical';
const MODEL = 'hashed-words';
const DIMENSIONS = 256;
const WORD_WEIGHT = 1;
const TRIPLE_WEIGHT = 0.4;

/** Vectors by hashing of words and their letter triples: texts of the same words are near, whatever they mean. */
export function createOfflineLexical(): LanguageModel<AbortSignal> {
  const refuse = () => unsupported(PROVIDER, 'it makes embeddings alone');
  return {
    provider: PROVIDER,
    local: true,
    missing: null,
    defaults: { model: MODEL, embeddingModel: MODEL },
    capabilities: () => ({ ...NO_CAPABILITIES, embed: true }),
    generate: () => Promise.reject(refuse()),
    // oxlint-disable-next-line require-yield
    async *stream() {
      throw refuse();
    },
    embed: async ({ texts, dimensions = DIMENSIONS }) => ({
      embeddings: texts.map((text) => lexicalVector(text, dimensions)),
      model: MODEL,
      usage: null,
    }),
  };
}

export function lexicalVector(text: string, dimensions: number): number[] {
  const vector = new Float64Array(dimensions);
  for (const [feature, weight] of featuresOf(text)) {
    const hash = createHash('sha256').update(feature).digest();
    const index = hash.readUInt32LE(0) % dimensions;
    vector[index] = (vector[index] as number) + ((hash[4] as number) & 1 ? weight : -weight);
  }
  const length = Math.hypot(...vector);
  return Array.from(vector, (value) => (length === 0 ? 0 : Number((value / length).toFixed(6))));
}

/** Each once, however often it comes, damped by a logarithm. */
function featuresOf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (feature: string, weight: number) => counts.set(feature, (counts.get(feature) ?? 0) + weight);
  for (const word of text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu) ?? []) {
    add(word, WORD_WEIGHT);
    const padded = `^${word}$`;
    for (let at = 0; at + 3 <= padded.length; at += 1) add(padded.slice(at, at + 3), TRIPLE_WEIGHT);
  }
  return new Map([...counts].map(([feature, weight]) => [feature, Math.log1p(weight)]));
}
