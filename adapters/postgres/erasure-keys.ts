import { randomBytes, randomUUID } from 'node:crypto';
import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import { keysIn, openValues, type ValueKey } from '../encryption/sealed-values.ts';
import type { KeyWrap } from '../encryption/key-wrap.ts';
import { storageOf } from './payload-storage.ts';
import type { Queryable } from './payload-store.ts';

const KEY_BYTES = 32;
type Holder = { tenantId: string; subject?: string | null };
type KeyRow = { tenant_id: string; id: string; subject: string; wrapped: string | null };

/**
 * The key that each one's values are sealed with: that of the subject, or of the tenant where all are sealed; undefined for those
 * that are not. Made when missing.
 */
export async function keysOfSubjects(
  db: Queryable,
  holders: readonly Holder[],
): Promise<(holder: Holder) => ValueKey | undefined> {
  const { sealAll = false } = storageOf(db);
  const sealed = holders.filter(({ subject }) => sealAll || (subject ?? null) !== null);
  if (sealed.length === 0) return () => undefined;
  const wrap = keyWrapOf(db);
  const wanted = [...new Map(sealed.map((holder) => [placeOf(holder), holder])).values()];
  const known = await currentKeys(db, wanted);
  const missing = wanted.filter((holder) => !known.has(placeOf(holder))).map((holder) => newKey(wrap, holder));
  if (missing.length > 0) {
    await db.query(
      `INSERT INTO erasure_keys (tenant_id, id, subject, wrapped) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
       ON CONFLICT DO NOTHING`,
      [
        missing.map(({ tenant_id: tenantId }) => tenantId),
        missing.map(({ id }) => id),
        missing.map(({ subject }) => subject),
        missing.map(({ wrapped }) => wrapped),
      ],
    );
    for (const [place, row] of await currentKeys(db, wanted)) known.set(place, row);
  }
  const keys = new Map([...known].map(([place, row]) => [place, valueKey(wrap, row)]));
  return (holder) => keys.get(placeOf(holder));
}

/** As keysOfSubjects, by run. */
export async function keysOfRuns(db: Queryable, runIds: readonly string[]): Promise<Map<string, ValueKey>> {
  if (runIds.length === 0) return new Map();
  const { rows } = await db.query<{ runId: string; tenantId: string; subject: string | null }>(
    'SELECT id AS "runId", tenant_id AS "tenantId", subject FROM runs WHERE id = ANY($1)',
    [runIds],
  );
  const keyOf = await keysOfSubjects(db, rows);
  return new Map(
    rows.flatMap((row): [string, ValueKey][] => {
      const key = keyOf(row);
      return key ? [[row.runId, key]] : [];
    }),
  );
}

/** Values with what is sealed opened, and what is erased saying so. */
export async function openSealed(db: Queryable, payloads: readonly Json[]): Promise<Json[]> {
  const ids = keysIn(payloads);
  if (ids.size === 0) return [...payloads];
  const { rows } = await db.query<KeyRow>(
    'SELECT tenant_id, id, subject, wrapped FROM erasure_keys WHERE id = ANY($1)',
    [[...ids]],
  );
  const wrap = rows.some(({ wrapped }) => wrapped !== null) ? keyWrapOf(db) : null;
  const keys = new Map(rows.map((row) => [row.id, wrap && row.wrapped !== null ? valueKey(wrap, row).key : null]));
  return payloads.map((payload) => openValues(payload, (id) => keys.get(id)));
}

/** @throws AppError SETUP_INCOMPLETE */
export function keyWrapOf(db: object): KeyWrap {
  const { keyWrap } = storageOf(db);
  if (keyWrap) return keyWrap;
  throw new AppError('SETUP_INCOMPLETE', { detail: 'values of runs with a subject are sealed: set WEFT_SECRET_KEY' });
}

async function currentKeys(db: Queryable, wanted: readonly Holder[]): Promise<Map<string, KeyRow>> {
  const { rows } = await db.query<KeyRow>({
    name: 'current-erasure-keys',
    text: `SELECT one.tenant_id, id, one.subject, wrapped FROM erasure_keys one
           JOIN unnest($1::text[], $2::text[]) AS wanted(tenant_id, subject) USING (tenant_id, subject) WHERE erased_at IS NULL`,
    values: [wanted.map(({ tenantId }) => tenantId), wanted.map(({ subject }) => subject ?? '')],
  });
  return new Map(rows.map((row) => [placeOf({ tenantId: row.tenant_id, subject: row.subject }), row]));
}

function newKey(wrap: KeyWrap, { tenantId, subject }: Holder): KeyRow {
  const id = randomUUID().replaceAll('-', '');
  const wrapped = wrap.wrap(randomBytes(KEY_BYTES), contextOf(tenantId, id));
  return { tenant_id: tenantId, id, subject: subject ?? '', wrapped };
}

const valueKey = (wrap: KeyWrap, { tenant_id: tenantId, id, wrapped }: KeyRow): ValueKey => ({
  id,
  key: wrap.unwrap(String(wrapped), contextOf(tenantId, id)),
});
const contextOf = (tenantId: string, id: string): string => `erasure/${tenantId}/${id}`;
const placeOf = ({ tenantId, subject }: Holder): string => JSON.stringify([tenantId, subject ?? '']);
