import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import type { PayloadStorage } from './payload-storage.ts';
import { createPool } from './pool.ts';

const BINDABLE = Symbol('may be bound to tenants');
const TENANT = Symbol('tenant of the connection');
type Bound = pg.PoolClient & { [TENANT]?: string | undefined };
type Callback = (error: Error | undefined, client?: pg.PoolClient, done?: pg.PoolClient['release']) => void;

/** Connections that see nothing until `tenantPool` binds them to a tenant. */
export function createTenantPool(databaseUrl: string, size: number, storage: PayloadStorage): pg.Pool {
  return Object.assign(createPool(databaseUrl, size, storage, 'tenant'), { [BINDABLE]: true });
}

/**
 * The same connections, each given out bound to this tenant: the database shows and takes the tenant's rows alone, whatever a
 * statement forgets to ask for. One that was bound to it last needs nothing; `pool` stays whoever's it is to end.
 */
export function tenantPool(pool: pg.Pool, tenantId: string): pg.Pool {
  if (!isOfTenants(pool) || tenantId === '' || tenantId === '*') {
    throw new AppError('INTERNAL', { detail: `connections cannot be bound to tenant "${tenantId}"` });
  }
  const connect = (callback?: Callback) => {
    const bound = bind(pool, tenantId);
    if (callback === undefined) return bound;
    void give(bound, callback);
    return undefined;
  };
  // pool.query goes by way of connect, so nothing else has to be replaced.
  return Object.assign(Object.create(pool) as pg.Pool, { connect });
}

async function give(bound: Promise<pg.PoolClient>, callback: Callback): Promise<void> {
  let client: pg.PoolClient;
  try {
    client = await bound;
  } catch (error) {
    callback(error as Error, undefined, () => undefined);
    return;
  }
  callback(undefined, client, client.release);
}

async function bind(pool: pg.Pool, tenantId: string): Promise<pg.PoolClient> {
  const client: Bound = await pool.connect();
  if (client[TENANT] === tenantId) return client;
  client[TENANT] = undefined;
  try {
    // Within a transaction that somebody left open it would go with it.
    if (client.getTransactionStatus() !== 'I')
      throw new AppError('INTERNAL', { detail: 'a transaction was left open' });
    await client.query(`SELECT set_config('weft.tenant', $1, false)`, [tenantId]);
  } catch (error) {
    client.release(error as Error);
    throw error;
  }
  client[TENANT] = tenantId;
  return client;
}

export const isOfTenants = (pool: object): boolean => BINDABLE in pool;
