import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../tests/servers.ts';
import { migrate } from './migrate.ts';
import { rebuildProjections } from './rebuild-projections.ts';
import { createPool } from './pool.ts';
import { createTenantPool, tenantPool } from './tenant-pool.ts';

/** Without a tenant's rows, each with the reason. */
const SHARED: Readonly<Record<string, string>> = {
  projections: 'how far the product has come with what it makes of the events of all tenants',
  payloads: 'by the hash of the content: only who has a row that names one can ask for it',
  weft_migrations: 'what this database has become',
};
/** By the policy, or by a trigger that was first. */
const REFUSED = expect.stringMatching(/^(42501|23000)$/);
const STORAGE = { cipher: null, bodies: null, writesTo: 'table' } as const;

let database: TestDatabase;
/** The user that signs in: a superuser, as that of the embedded Postgres is. */
let admin: pg.Client;
let connections: pg.Pool;
let ann: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client(database.url);
  await admin.connect();
  // What may stand in a row is not at issue here.
  await admin.query(`DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT conrelid::regclass AS target, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0 AND conparentid = 0
      AND connamespace = 'public'::regnamespace LOOP
      EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.target, one.conname);
    END LOOP; END $$`);
  connections = createTenantPool(database.url, 2, STORAGE);
  ann = tenantPool(connections, 'ann');
});
afterAll(async () => {
  await connections?.end();
  await admin?.end();
  await database?.drop();
});

type Table = { name: string; secured: boolean; policies: number; tenant: boolean };

async function tables(): Promise<Table[]> {
  const { rows } = await admin.query<Table>(
    `SELECT class.oid::regclass::text AS name, relrowsecurity AND relforcerowsecurity AS secured,
            (SELECT count(*)::int FROM pg_policy WHERE polrelid = class.oid AND polname = 'weft_tenant') AS policies,
            EXISTS (SELECT FROM pg_attribute WHERE attrelid = class.oid AND attname = 'tenant_id') AS tenant
     FROM pg_class class WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace`,
  );
  return rows;
}

/** A row that says nothing but whose it is: every column that must be given, by its type. */
async function insertRow(table: string, tenantId: string, number: number): Promise<void> {
  const { rows: columns } = await admin.query<{ name: string; type: string }>(
    `SELECT quote_ident(attname) AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'tenant_id'
       AND attnotnull AND NOT atthasdef AND attidentity = '' AND attgenerated = ''`,
    [table],
  );
  const valueOf = (type: string) => {
    if (type.startsWith('json')) return '{}';
    if (type.startsWith('timestamp') || type === 'date') return 'now';
    if (type === 'bytea') return `\\x0${number}`;
    if (type === 'boolean') return 'false';
    if (type.endsWith('[]')) return '{}';
    return /int|numeric|double|real/.test(type) ? number : `${tenantId}-${number}`;
  };
  const names = ['tenant_id', ...columns.map(({ name }) => name)].join(', ');
  const places = columns.map((_, index) => `$${index + 2}`);
  await admin.query(`INSERT INTO ${table} (${names}) VALUES (${['$1', ...places].join(', ')})`, [
    tenantId,
    ...columns.map(({ type }) => valueOf(type)),
  ]);
}

describe('the database itself', () => {
  it('guards every table, or the table is named here with the reason', async () => {
    const open = (await tables()).filter(({ secured, policies }) => !secured || policies !== 1);
    expect(open.filter(({ name }) => !(name in SHARED))).toEqual([]);
    const unbound = (await tables()).filter(({ tenant, secured }) => tenant && !secured);
    expect(unbound).toEqual([]);
  });

  it('shows a connection that is bound to a tenant that tenant alone, in every table, and takes no row for another', async () => {
    await admin.query(`SET session_replication_role = 'replica'`);
    const bound = (await tables()).filter(({ tenant }) => tenant).map(({ name }) => name);
    expect(bound.length).toBeGreaterThan(20);
    for (const table of bound) {
      await insertRow(table, 'ann', 1);
      await insertRow(table, 'bob', 2);
      const seen = await ann.query<{ tenant_id: string }>(`SELECT tenant_id FROM ${table}`);
      expect({ table, seen: seen.rows }).toEqual({ table, seen: [{ tenant_id: 'ann' }] });
      await admin.query(`CREATE TEMP TABLE of_bob AS SELECT * FROM ${table} WHERE tenant_id = 'bob'`);
      const writes = [`UPDATE ${table} SET tenant_id = tenant_id`, `DELETE FROM ${table} WHERE tenant_id = 'bob'`];
      for (const write of table === 'events' ? [] : writes) {
        const { rowCount } = await ann.query(write);
        expect({ table, write, rowCount }).toEqual({ table, write, rowCount: write.startsWith('UPDATE') ? 1 : 0 });
      }
      await expect(ann.query(`INSERT INTO ${table} (tenant_id) VALUES ('bob')`)).rejects.toMatchObject({
        code: expect.stringMatching(/^(42501|23502)$/),
      });
      if (table !== 'events') {
        await expect(ann.query(`UPDATE ${table} SET tenant_id = 'bob'`)).rejects.toMatchObject({ code: REFUSED });
      }
      const kept = await admin.query(`SELECT * FROM ${table} WHERE tenant_id = 'bob'`);
      expect(kept.rows).toEqual((await admin.query('SELECT * FROM of_bob')).rows);
      await admin.query('DROP TABLE of_bob');
    }
  });

  it('shows nothing to a connection that nobody has bound', async () => {
    await expect(connections.query('SELECT FROM runs')).resolves.toMatchObject({ rowCount: 0 });
  });

  it('binds a connection anew for each tenant that gets it, and for none in the middle of a transaction', async () => {
    const bob = tenantPool(connections, 'bob');
    const who = async (pool: pg.Pool) => (await pool.query<{ tenant_id: string }>('SELECT tenant_id FROM runs')).rows;
    const answers = await Promise.all(Array.from({ length: 40 }, (_, turn) => who(turn % 2 === 0 ? ann : bob)));
    answers.forEach((rows, turn) => expect(rows).toEqual([{ tenant_id: turn % 2 === 0 ? 'ann' : 'bob' }]));
    const held = [await ann.connect(), await ann.connect()];
    for (const client of held) await client.query('BEGIN');
    for (const client of held) client.release();
    await expect(bob.query('SELECT')).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(() => tenantPool(ann, '*')).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    const system = createPool(database.url, 1);
    expect(() => tenantPool(system, 'ann')).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    await system.end();
  });

  it('works as a role that cannot get past it, whoever signs in', async () => {
    const system = createPool(database.url, 1);
    const role = `SELECT current_user::text AS name, rolsuper OR rolbypassrls OR rolcanlogin AS mighty
                  FROM pg_roles WHERE rolname = current_user`;
    expect((await ann.query(role)).rows).toEqual([{ name: 'weft_app', mighty: false }]);
    expect((await system.query(role)).rows).toEqual([{ name: 'weft_system', mighty: false }]);
    const { rows } = await system.query('SELECT tenant_id FROM runs ORDER BY 1');
    expect(rows).toEqual([{ tenant_id: 'ann' }, { tenant_id: 'bob' }]);
    await system.end();
  });

  it('still guards tables that were made anew by a rebuild', async () => {
    const system = createPool(database.url, 2);
    await admin.query('DELETE FROM runs; DELETE FROM node_executions; DELETE FROM event_streams');
    await rebuildProjections(system);
    await system.end();
    const open = (await tables()).filter(({ secured, policies }) => !secured || policies !== 1);
    expect(open.filter(({ name }) => !(name in SHARED))).toEqual([]);
  });
});

describe('a Postgres whose user may not create roles', () => {
  it('holds its owner to the same policies', async () => {
    await admin.query(`DROP ROLE IF EXISTS plain_owner; CREATE ROLE plain_owner LOGIN PASSWORD 'plain'`);
    const name = `plain_${Date.now()}`;
    await admin.query(`CREATE DATABASE ${name} OWNER plain_owner`);
    const url = new URL(database.url);
    Object.assign(url, { username: 'plain_owner', password: 'plain', pathname: name });
    try {
      await migrate(url.href);
      const plain = createTenantPool(url.href, 1, STORAGE);
      const system = createPool(url.href, 1);
      const row = `INSERT INTO tenant_heads VALUES ('ann', 1), ('bob', 2)`;
      await expect(tenantPool(plain, 'ann').query(row)).rejects.toMatchObject({ code: '42501' });
      await system.query(row);
      const seen = await tenantPool(plain, 'ann').query(
        'SELECT current_user::text AS who, tenant_id FROM tenant_heads',
      );
      expect(seen.rows).toEqual([{ who: 'plain_owner', tenant_id: 'ann' }]);
      await plain.end();
      await system.end();
    } finally {
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.query('DROP ROLE plain_owner');
    }
  });
});
