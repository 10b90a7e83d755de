import type pg from 'pg';
import type { TenantId } from '../../domain/identifiers.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import { AppError } from '../../domain/errors.ts';
import { inTransaction } from './transaction.ts';

export type Ticket = {
  id: string;
  customerId: string;
  message: string;
  priority: string;
  state: 'open' | 'escalated' | 'closed';
  department: string | null;
  agentId: string | null;
  team: string | null;
};
export type Invoice = { id: string; customerId: string; amount: number; paid: number; disputed: boolean };
/** Inside the transaction of an action. */
export type SupportClient = pg.PoolClient;
export type SupportAction = {
  id: string;
  kind: string;
  subjectId: string;
  /** Null: this call stands for itself. */
  key: string | null;
  asked: JsonObject;
};

const TICKET = 'id, customer_id AS "customerId", message, priority, state, department, agent_id AS "agentId", team';
const INVOICE = 'id, customer_id AS "customerId", amount::float8, paid::float8, disputed';

/** Opens a ticket, or says again what an open one says. @throws INPUT_INVALID where it is closed or of somebody else */
export async function saveTicket(
  pool: pg.Pool,
  tenantId: TenantId,
  ticket: Pick<Ticket, 'id' | 'customerId' | 'message' | 'priority'>,
): Promise<Ticket> {
  const { rows } = await pool.query<Ticket>(
    `INSERT INTO support_tickets AS known (tenant_id, id, customer_id, message, priority) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (tenant_id, id) DO UPDATE SET message = $4, priority = $5, updated_at = date_trunc('milliseconds', now())
       WHERE known.customer_id = $3 AND known.state <> 'closed'
     RETURNING ${TICKET}`,
    [tenantId, ticket.id, ticket.customerId, ticket.message, ticket.priority],
  );
  if (rows[0]) return rows[0];
  throw new AppError('INPUT_INVALID', { detail: `ticket ${ticket.id} is closed, or another customer's` });
}

export async function readTicket(pool: Pick<pg.Pool, 'query'>, tenantId: TenantId, id: string): Promise<Ticket> {
  const { rows } = await pool.query<Ticket>(`SELECT ${TICKET} FROM support_tickets WHERE tenant_id = $1 AND id = $2`, [
    tenantId,
    id,
  ]);
  return rows[0] ?? notThere('Ticket', id);
}

const CHANGEABLE = {
  state: 'state',
  priority: 'priority',
  department: 'department',
  agentId: 'agent_id',
  team: 'team',
  resolution: 'resolution',
  satisfaction: 'satisfaction',
  followUp: 'follow_up',
} as const;
export type TicketChange = { [Name in keyof typeof CHANGEABLE]?: string | number | boolean | null };

/** @throws NOT_FOUND, INPUT_INVALID where it is closed */
export async function changeTicket(
  client: Pick<pg.Pool, 'query'>,
  tenantId: TenantId,
  id: string,
  change: TicketChange,
): Promise<Ticket> {
  const columns = Object.keys(change) as (keyof TicketChange)[];
  const sets = columns.map((name, index) => `${CHANGEABLE[name]} = $${index + 3}`);
  const { rows } = await client.query<Ticket>(
    `UPDATE support_tickets SET ${sets.join(', ')}, updated_at = date_trunc('milliseconds', now())
     WHERE tenant_id = $1 AND id = $2 AND state <> 'closed' RETURNING ${TICKET}`,
    [tenantId, id, ...columns.map((name) => change[name])],
  );
  if (rows[0]) return rows[0];
  const { state } = await readTicket(client, tenantId, id);
  throw new AppError('INPUT_INVALID', { detail: `ticket ${id} is ${state}` });
}

export async function readInvoice(
  client: Pick<pg.Pool, 'query'>,
  tenantId: TenantId,
  id: string,
): Promise<Invoice | undefined> {
  const { rows } = await client.query<Invoice>(
    `SELECT ${INVOICE} FROM support_invoices WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
    [tenantId, id],
  );
  return rows[0];
}

export async function saveInvoice(
  client: Pick<pg.Pool, 'query'>,
  tenantId: TenantId,
  { id, customerId, amount, paid, disputed }: Invoice,
): Promise<void> {
  await client.query(
    `INSERT INTO support_invoices (tenant_id, id, customer_id, amount, paid, disputed) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (tenant_id, id) DO UPDATE SET amount = $4, paid = $5, disputed = $6,
       updated_at = date_trunc('milliseconds', now())`,
    [tenantId, id, customerId, amount, paid, disputed],
  );
}

/**
 * Does something once: with the key of an earlier action it gives what that one gave, and does nothing.
 * @throws IDEMPOTENCY_CONFLICT where that one was asked for something else, and whatever `work` throws
 */
export async function actOnce(
  pool: pg.Pool,
  tenantId: TenantId,
  action: SupportAction,
  work: (client: SupportClient) => Promise<Json>,
): Promise<Json> {
  return inTransaction(pool, async (client) => {
    const { id, kind, subjectId, key, asked } = action;
    const { rowCount } = await client.query(
      `INSERT INTO support_actions (tenant_id, id, kind, subject_id, key, asked) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (tenant_id, key) DO NOTHING`,
      [tenantId, id, kind, subjectId, key, JSON.stringify(asked)],
    );
    if (rowCount === 0) return earlier(client, tenantId, action);
    const result = await work(client);
    await client.query('UPDATE support_actions SET result = $3 WHERE tenant_id = $1 AND id = $2', [
      tenantId,
      id,
      JSON.stringify(result),
    ]);
    return result;
  });
}

async function earlier(client: SupportClient, tenantId: TenantId, { kind, key, asked }: SupportAction): Promise<Json> {
  const { rows } = await client.query<{ kind: string; asked: JsonObject; result: Json }>(
    'SELECT kind, asked, result FROM support_actions WHERE tenant_id = $1 AND key = $2',
    [tenantId, key],
  );
  const [known] = rows;
  if (known?.kind === kind && canonicalJson(known.asked) === canonicalJson(asked)) return known.result;
  throw new AppError('IDEMPOTENCY_CONFLICT', { key });
}

function notThere(what: string, id: string): never {
  throw new AppError('NOT_FOUND', { what, id });
}
