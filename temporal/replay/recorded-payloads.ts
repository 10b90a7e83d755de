import type { Payload, PayloadCodec } from '@temporalio/common';
import { payloadHash, type PayloadHash } from '../../domain/identifiers.ts';
import type { PayloadCipher, PayloadStore } from '../../domain/runs/payload-store.ts';
import { contentHash } from '../content-hash.ts';
import { referencesIn } from '../held-payloads.ts';
import { DEFINITION_HASH_KEY } from '../payload-converter.ts';

/** What histories refer to, by address. */
export type RecordedPayloads = { readonly [hash: string]: string };

/** Payloads that came with histories, and behind them those of a store; read only. */
export function recordedPayloads(
  recorded: RecordedPayloads,
  beneath: PayloadStore | null,
  cipher: PayloadCipher | null = beneath?.cipher ?? null,
): PayloadStore {
  return {
    cipher,
    address: (bytes) => cipher?.address(bytes) ?? payloadHash(contentHash(bytes)),
    put: () => Promise.resolve(),
    async get(hashes) {
      const own = hashes.filter((hash) => Object.hasOwn(recorded, hash));
      const others = hashes.filter((hash) => !Object.hasOwn(recorded, hash));
      const found = beneath && others.length > 0 ? await beneath.get(others) : new Map<PayloadHash, Uint8Array>();
      const bytes = new TextEncoder();
      return new Map([...found, ...own.map((hash) => [hash, bytes.encode(recorded[hash])] as const)]);
    },
  };
}

/** Everything that histories refer to, in clear, so that they can be replayed where the store is not. */
export async function collectPayloads(histories: unknown, store: PayloadStore): Promise<RecordedPayloads> {
  const found = await store.get([...new Set(referencesIn(histories))]);
  return Object.fromEntries([...found].map(([hash, bytes]) => [hash, new TextDecoder().decode(bytes)]));
}

/** The hashes of the definitions that child runs in these histories know theirs by. */
export async function definitionHashesIn(histories: unknown, codecs: readonly PayloadCodec[]): Promise<string[]> {
  let payloads = [...namedDefinitions(histories)];
  for (const codec of codecs.toReversed()) payloads = await codec.decode(payloads);
  const texts = payloads.map(({ data }) => new TextDecoder().decode(data ?? new Uint8Array()));
  return [...new Set(texts.map((text) => (JSON.parse(text) as { weftDefinitionHash: string }).weftDefinitionHash))];
}

function* namedDefinitions(message: unknown): Generator<Payload> {
  if (typeof message !== 'object' || message === null || message instanceof Uint8Array) return;
  const { metadata } = message as { metadata?: Record<string, unknown> };
  if (metadata?.[DEFINITION_HASH_KEY] instanceof Uint8Array) yield message;
  for (const part of Object.values(message)) yield* namedDefinitions(part);
}
