import type { PayloadHash } from '../identifiers.ts';

/** Content-addressed bytes outside Temporal's history. Putting the same bytes again only renews them. */
export interface PayloadStore {
  /** Encrypts what is stored, and what goes through Temporal; null without a key. */
  readonly cipher: PayloadCipher | null;
  /** Where bytes belong. The same bytes have the same address as long as the current key is the same. */
  address(bytes: Uint8Array): PayloadHash;
  put(payloads: ReadonlyMap<PayloadHash, Uint8Array>): Promise<void>;
  /** Missing hashes are absent from the answer. */
  get(hashes: readonly PayloadHash[]): Promise<Map<PayloadHash, Uint8Array>>;
}

/** AES-256-GCM under one current key and any number of older ones. */
export interface PayloadCipher {
  /** Of the key that encrypts. */
  readonly keyId: string;
  /** A hash that nobody without the key can compute. */
  address(bytes: Uint8Array): PayloadHash;
  /** Nonce, ciphertext and tag. Opens only with the same `context`. */
  seal(bytes: Uint8Array, context?: string): Uint8Array;
  /** @throws AppError PAYLOAD_KEY_MISSING, PAYLOAD_UNREADABLE */
  open(keyId: string, sealed: Uint8Array, context?: string): Uint8Array;
}

/** Where the bytes of payloads lie when not in the database. */
export interface PayloadBodies {
  /** For people: a URL of the place. */
  readonly location: string;
  write(hash: PayloadHash, bytes: Uint8Array): Promise<void>;
  read(hash: PayloadHash): Promise<Uint8Array | undefined>;
  remove(hashes: readonly PayloadHash[]): Promise<void>;
  list(): AsyncIterable<{ hash: PayloadHash; modifiedAt: Date; bytes: number }>;
}
