import type pg from 'pg';
import type { Account } from '../../domain/access/account.ts';
import { accountFromRow, type AccountRow } from './account-store.ts';

export type Caller = {
  account: Account;
  tenantIsActive: boolean;
  /** Also where no session was asked about. */
  sessionIsOpen: boolean;
};
type Row = AccountRow & { tenant_active: boolean; session_open: boolean };

/** Whether somebody may still get in, by one statement: it stands before every request. Undefined when there is no such account. */
export async function readCaller(
  pool: pg.Pool,
  tenant: string,
  userId: string,
  sessionId: string | null,
): Promise<Caller | undefined> {
  const { rows } = await pool.query<Row>({
    name: 'read-caller',
    text: `SELECT users.*, tenants.state = 'ACTIVE' AS tenant_active,
                  $3::text IS NULL OR EXISTS (
                    SELECT FROM sessions WHERE sessions.tenant_id = $1 AND sessions.id = $3 AND sessions.user_id = users.id
                      AND revoked_at IS NULL AND expires_at > now()) AS session_open
           FROM users JOIN tenants USING (tenant_id) WHERE users.tenant_id = $1 AND users.id = $2`,
    values: [tenant, userId, sessionId],
  });
  const [row] = rows;
  return row && { account: accountFromRow(row), tenantIsActive: row.tenant_active, sessionIsOpen: row.session_open };
}
