import pg from 'pg';
import { carryStorage, type PayloadStorage } from './payload-storage.ts';

/**
 * What a connection may see. `system`: the rows of all tenants, for work on behalf of all; `tenant`: none until it is bound to one
 * (tenant-pool.ts); `owner`: as system, and may change tables.
 */
export type Access = 'system' | 'tenant' | 'owner';

/** Timestamps come back as Date, bigint as BigInt. Without `storage` large values are in the database as they are. */
export function createPool(
  databaseUrl: string,
  size: number,
  storage?: PayloadStorage,
  access: Access = 'system',
  bounds: Pick<pg.PoolConfig, 'connectionTimeoutMillis' | 'query_timeout' | 'idleTimeoutMillis'> = {},
): pg.Pool {
  const options: pg.PoolConfig = {
    ...bounds,
    connectionString: databaseUrl,
    max: size,
    application_name: 'weft',
    types: { getTypeParser },
    // The pool waits for the promise; a connection that could not take its role on is not given out.
    onConnect: (client) => takeAccess(client, access) as unknown as void,
  };
  const pool = new pg.Pool(options);
  // An idle connection that the server closes is replaced by the pool; without a listener the process would exit.
  pool.on('error', () => undefined);
  // So would it for one that is given out and has no statement under way; its next statement says what happened.
  pool.on('connect', (client) => client.on('error', () => undefined));
  if (storage) carryStorage(pool, storage);
  return pool;
}

/** Where a role is missing the user stays what it is: that of an owner of the tables is held to the same policies. */
async function takeAccess(client: pg.ClientBase, access: Access): Promise<void> {
  const [tenant, role] =
    access === 'tenant' ? ['', 'weft_app'] : access === 'system' ? ['*', 'weft_system'] : ['*', null];
  await client.query(
    `SELECT set_config('weft.tenant', $1, false),
            (SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = $2 AND pg_has_role(oid, 'MEMBER'))`,
    [tenant, role],
  );
}

const INT8 = 20;

function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === INT8 && format !== 'binary') return BigInt;
  return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
}
