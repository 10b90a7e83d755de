import { AppError } from '../../domain/errors.ts';
import type { PayloadHash } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import { referencesIn } from './large-values.ts';
import { addressOf } from './payload-storage.ts';
import { createPayloadStore, type Queryable } from './payload-store.ts';

const PLAIN = { cipher: null, bodies: null, writesTo: 'table' } as const;

type Reference = { version: number; hash: PayloadHash };

/** Whether the values that stand in the payload store are those that the payloads name; `gone` counts those not there any more. */
export async function largeValueFaults(
  db: Queryable,
  events: readonly { version: number; payload: string }[],
): Promise<{ gone: number; faults: { version: number; detail: string }[] }> {
  const references = events.flatMap(({ version, payload }): Reference[] =>
    payload.includes('"$payload"') ? referencesIn(JSON.parse(payload) as Json).map((hash) => ({ version, hash })) : [],
  );
  let gone = 0;
  const faults: { version: number; detail: string }[] = [];
  for (const { version, hash } of references) {
    const state = await stateOf(db, hash);
    if (state === 'gone') gone += 1;
    if (state === 'changed')
      faults.push({ version, detail: `the value stored as ${hash} is not the one that was appended` });
  }
  return { gone, faults };
}

async function stateOf(db: Queryable, hash: PayloadHash): Promise<'whole' | 'gone' | 'changed'> {
  const store = createPayloadStore(db);
  try {
    const bytes = (await store.get([hash])).get(hash);
    if (bytes === undefined) return 'gone';
    // What was ever sealed under another key keeps the address that it gave; that it opens vouches for address and bytes.
    const { rows } = await db.query<{ sealed: boolean }>(
      `SELECT key_id IS NOT NULL AND (bytes IS NULL OR substring(bytes FOR 3) = '\\x007701') AS sealed
       FROM payloads WHERE hash = $1`,
      [hash],
    );
    const addresses = [addressOf(PLAIN, bytes), store.address(bytes)];
    return addresses.includes(hash) || rows[0]?.sealed ? 'whole' : 'changed';
  } catch (error) {
    if (error instanceof AppError && error.code === 'PAYLOAD_UNREADABLE') return 'changed';
    throw error;
  }
}
