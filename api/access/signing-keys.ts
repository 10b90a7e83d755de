import type { createPool } from '../../adapters/postgres/pool.ts';
import { addSigningKey, readSigningKeys, type SigningKeyRow } from '../../adapters/postgres/signing-key-store.ts';
import { generateSigningKey, importSigningKey, type Jwk, type PrivateKey } from '../../adapters/tokens/signing-keys.ts';
import type { SecretBox } from '../../temporal/secret-box.ts';

export type SigningKeys = {
  /** What new tokens are signed with. */
  current(): Promise<{ id: string; key: PrivateKey }>;
  /** What tokens may be signed with; read again when `id` is not among those known. */
  publicKeys(id?: string): Promise<Jwk[]>;
};

const SIGNS_DAYS = 30;
/** Beyond the last token that it signed. */
const LIVES_DAYS = SIGNS_DAYS + 2;
const DAY_MS = 86_400_000;
/** How long every process has to read a new key before one signs with it. */
const READ_AGAIN_MS = 60_000;
/** An unknown key id may be anybody's invention. */
const LEAST_MS_BETWEEN_READS = 5_000;

/** Keys of the database, which all processes share; a new one takes over in time. */
export function createSigningKeys(
  pool: ReturnType<typeof createPool>,
  secrets: SecretBox,
  now: () => number = Date.now,
): SigningKeys {
  let known: { rows: SigningKeyRow<Jwk>[]; publics: Jwk[]; readAt: number } | undefined;
  const imported = new Map<string, Promise<PrivateKey>>();

  const isWanted = (rows: readonly SigningKeyRow<Jwk>[]): boolean =>
    rows.every((row) => now() - row.createdAt.getTime() > SIGNS_DAYS * DAY_MS);
  const make = async () => {
    const { id, publicJwk, privateJwk } = await generateSigningKey();
    const sealed = secrets.seal(JSON.stringify(privateJwk), `signing key ${id}`);
    return { id, publicJwk, privateJwk: sealed, expiresAt: new Date(now() + LIVES_DAYS * DAY_MS) };
  };
  async function rows(oldestMs: number): Promise<SigningKeyRow<Jwk>[]> {
    if (known && now() - known.readAt < oldestMs) return known.rows;
    const stored = await readSigningKeys<Jwk>(pool);
    const fresh = isWanted(stored) ? await addSigningKey(pool, isWanted, make) : stored;
    known = { rows: fresh, publics: fresh.map(({ publicJwk }) => publicJwk), readAt: now() };
    return known.rows;
  }
  return {
    async current() {
      const all = await rows(READ_AGAIN_MS);
      const row = all.find(({ createdAt }) => now() - createdAt.getTime() > 2 * READ_AGAIN_MS) ?? all.at(-1);
      const { id, privateJwk } = row as SigningKeyRow<Jwk>;
      const open = () => importSigningKey(JSON.parse(secrets.open(privateJwk, `signing key ${id}`)) as Jwk);
      const key = imported.get(id) ?? open();
      imported.set(id, key);
      return { id, key: await key };
    },
    async publicKeys(id) {
      const all = await rows(READ_AGAIN_MS);
      const missing = id !== undefined && !all.some((row) => row.id === id);
      if (missing) await rows(LEAST_MS_BETWEEN_READS);
      return known?.publics ?? [];
    },
  };
}
