import type pg from 'pg';
import type { Account, AccountKind } from '../../domain/access/account.ts';
import { AppError } from '../../domain/errors.ts';
import { tenantId, type TenantId } from '../../domain/identifiers.ts';
import { newestPage, type NewestListing, type NewestPage } from './newest-page.ts';

export type AccountRow = {
  tenant_id: string;
  id: string;
  kind: AccountKind;
  name: string;
  email: string | null;
  roles: string[];
  password_hash: string | null;
  must_change_password: boolean;
  issuer: string | null;
  issuer_subject: string | null;
  disabled: boolean;
  created_at: Date;
  signed_in_at: Date | null;
};

export type NewAccount = Omit<Account, 'createdAt' | 'signedInAt' | 'disabled'>;
export type AccountChange = Partial<
  Pick<Account, 'email' | 'roles' | 'disabled' | 'passwordHash' | 'mustChangePassword'>
>;

/** @throws ID_TAKEN when the tenant has one of that name */
export async function insertAccount(client: pg.ClientBase | pg.Pool, account: NewAccount): Promise<Account> {
  const { rows } = await client.query<AccountRow>(
    `INSERT INTO users (tenant_id, id, kind, name, email, roles, password_hash, must_change_password, issuer, issuer_subject)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING *`,
    [
      account.tenantId,
      account.id,
      account.kind,
      account.name,
      account.email,
      account.roles,
      account.passwordHash,
      account.mustChangePassword,
      account.issuer,
      account.issuerSubject,
    ],
  );
  if (!rows[0]) throw new AppError('ID_TAKEN', { what: 'user', id: account.name });
  return accountFromRow(rows[0]);
}

/** Undefined when there is none. Give null to clear a field, leave it out to keep it. */
export async function updateAccount(
  client: pg.ClientBase | pg.Pool,
  tenant: TenantId,
  id: string,
  change: AccountChange,
): Promise<Account | undefined> {
  const { rows } = await client.query<AccountRow>(
    `UPDATE users SET email = CASE WHEN $3 THEN $4 ELSE email END, roles = coalesce($5, roles),
            disabled = coalesce($6, disabled), password_hash = coalesce($7, password_hash),
            must_change_password = coalesce($8, must_change_password)
     WHERE tenant_id = $1 AND id = $2 RETURNING *`,
    [
      tenant,
      id,
      change.email !== undefined,
      change.email ?? null,
      change.roles ?? null,
      change.disabled ?? null,
      change.passwordHash ?? null,
      change.mustChangePassword ?? null,
    ],
  );
  return rows[0] && accountFromRow(rows[0]);
}

export async function deleteAccount(client: pg.ClientBase, tenant: TenantId, id: string): Promise<Account | undefined> {
  const { rows } = await client.query<AccountRow>('DELETE FROM users WHERE tenant_id = $1 AND id = $2 RETURNING *', [
    tenant,
    id,
  ]);
  return rows[0] && accountFromRow(rows[0]);
}

export async function readAccount(pool: pg.Pool, tenant: TenantId, id: string): Promise<Account | undefined> {
  return one(pool, 'SELECT * FROM users WHERE tenant_id = $1 AND id = $2', [tenant, id]);
}

export async function findAccount(pool: pg.Pool, tenant: string, name: string): Promise<Account | undefined> {
  return one(pool, 'SELECT * FROM users WHERE tenant_id = $1 AND name = $2', [tenant, name]);
}

export async function findIssuedAccount(
  pool: pg.Pool,
  tenant: string,
  issuer: string,
  subject: string,
): Promise<Account | undefined> {
  const sql = 'SELECT * FROM users WHERE tenant_id = $1 AND issuer = $2 AND issuer_subject = $3';
  return one(pool, sql, [tenant, issuer, subject]);
}

export async function hasAccounts(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ found: boolean }>('SELECT EXISTS (SELECT FROM users) AS found');
  return rows[0]?.found ?? false;
}

export async function noteSignIn(client: pg.ClientBase | pg.Pool, { tenantId: tenant, id }: Account): Promise<void> {
  await client.query('UPDATE users SET signed_in_at = now() WHERE tenant_id = $1 AND id = $2', [tenant, id]);
}

/** Newest first. */
export async function listAccounts(
  pool: pg.Pool,
  tenant: TenantId,
  listing: NewestListing,
): Promise<NewestPage<Account>> {
  const page = await newestPage<AccountRow>(pool, 'users', { tenant_id: tenant }, listing);
  return { ...page, rows: page.rows.map(accountFromRow) };
}

async function one(pool: pg.Pool, sql: string, values: unknown[]): Promise<Account | undefined> {
  const { rows } = await pool.query<AccountRow>(sql, values);
  return rows[0] && accountFromRow(rows[0]);
}

export const accountFromRow = (row: AccountRow): Account => ({
  tenantId: tenantId(row.tenant_id),
  id: row.id,
  kind: row.kind,
  name: row.name,
  email: row.email,
  roles: row.roles,
  passwordHash: row.password_hash,
  mustChangePassword: row.must_change_password,
  issuer: row.issuer,
  issuerSubject: row.issuer_subject,
  disabled: row.disabled,
  createdAt: row.created_at,
  signedInAt: row.signed_in_at,
});
