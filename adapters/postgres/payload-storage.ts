import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { ArchiveFiles } from '../archive/archive-files.ts';
import type { KeyWrap } from '../encryption/key-wrap.ts';
import { AppError } from '../../domain/errors.ts';
import { payloadHash, type PayloadHash } from '../../domain/identifiers.ts';
import type { PayloadBodies, PayloadCipher } from '../../domain/runs/payload-store.ts';

/** How large values are kept. */
export type PayloadStorage = {
  cipher: PayloadCipher | null;
  /** Where bytes are that are not in the table. */
  bodies: PayloadBodies | null;
  writesTo: 'table' | 'bodies';
  /** Of events of closed runs; null or absent where nothing is archived. */
  archive?: ArchiveFiles | null;
  /** For the keys that values of events are sealed with. */
  keyWrap?: KeyWrap | null;
  /** Whether those of runs without a subject are sealed as well. */
  sealAll?: boolean;
};

const PLAIN: PayloadStorage = { cipher: null, bodies: null, writesTo: 'table' };
const STORAGE = Symbol('payload storage');
type Carrier = { [STORAGE]?: PayloadStorage };

/** Whoever has the pool or one of its clients has its storage: a value read through it is found and decrypted. */
export function carryStorage(pool: pg.Pool, storage: PayloadStorage): void {
  (pool as Carrier)[STORAGE] = storage;
  pool.on('connect', (client) => {
    (client as Carrier)[STORAGE] = storage;
  });
}

export function storageOf(carrier: object): PayloadStorage {
  return (carrier as Carrier)[STORAGE] ?? PLAIN;
}

/** @throws AppError SETUP_INCOMPLETE */
export function archiveOf(carrier: object): ArchiveFiles {
  const { archive } = storageOf(carrier);
  if (archive) return archive;
  const detail = 'events are in, or are to go to, an archive: set WEFT_ARCHIVE_FOLDER, or WEFT_ARCHIVE_STORE to s3';
  throw new AppError('SETUP_INCOMPLETE', { detail });
}

/** Without a key SHA-256, which tells whoever sees it and knows the bytes that they are there; with one, a keyed hash. */
export function addressOf({ cipher }: PayloadStorage, bytes: Uint8Array): PayloadHash {
  return cipher?.address(bytes) ?? payloadHash(createHash('sha256').update(bytes).digest('hex'));
}
