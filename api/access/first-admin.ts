import { randomUUID } from 'node:crypto';
import { hasAccounts, insertAccount } from '../../adapters/postgres/account-store.ts';
import { recordWithin } from '../../adapters/postgres/record-events.ts';
import { inTransaction } from '../../adapters/postgres/transaction.ts';
import { hashPassword } from '../../adapters/passwords/password-hash.ts';
import { DEFAULT_TENANT } from '../../domain/identifiers.ts';
import { accessEvent } from './audit.ts';
import type { AccessDeps } from './deps.ts';
import { oneTimePassword } from './passwords.ts';

export type FirstAdmin = { name: string; oneTimePassword: string };

/** Where there is nobody yet, somebody who can make the others. Null where there is, or another process was first. */
export async function makeFirstAdmin({ pool }: Pick<AccessDeps, 'pool'>): Promise<FirstAdmin | null> {
  if (await hasAccounts(pool)) return null;
  const password = oneTimePassword();
  const passwordHash = await hashPassword(password);
  return inTransaction(pool, async (client) => {
    await client.query("SELECT pg_advisory_xact_lock(hashtext('weft.first_admin'))");
    const { rowCount } = await client.query('SELECT FROM users LIMIT 1');
    if (rowCount !== 0) return null;
    const account = await insertAccount(client, {
      ...{ tenantId: DEFAULT_TENANT, id: randomUUID(), kind: 'USER', name: 'admin', email: null, roles: ['admin'] },
      ...{ passwordHash, mustChangePassword: true, issuer: null, issuerSubject: null },
    });
    const event = accessEvent('access.user_created', { subject: null }, account.name, { detail: { first: true } });
    await recordWithin(client, DEFAULT_TENANT, [event]);
    return { name: account.name, oneTimePassword: password };
  });
}
