import pg from 'pg';
import { carryStorage, type PayloadStorage } from './payload-storage.ts';

/** Timestamps come back as Date, bigint as BigInt. Without `storage` large values are in the database as they are. */
export function createPool(databaseUrl: string, size: number, storage?: PayloadStorage): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: size,
    application_name: 'weft',
    types: { getTypeParser },
  });
  // An idle connection that the server closes is replaced by the pool; without a listener the process would exit.
  pool.on('error', () => undefined);
  if (storage) carryStorage(pool, storage);
  return pool;
}

const INT8 = 20;

function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === INT8 && format !== 'binary') return BigInt;
  return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
}
