import type pg from 'pg';
import type { Queryable } from '../payload-store.ts';

/**
 * Empty tables beside those with these names, in a schema of their own: columns, options, indexes, row security and grants are the
 * same. `mark` tells later which build they belong to.
 */
export async function createShadowTables(
  client: pg.PoolClient,
  schema: string,
  tables: readonly string[],
  mark: string,
): Promise<void> {
  await becomeOwner(client);
  await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE SCHEMA ${schema}`);
  await client.query(`DO $$
    DECLARE item record;
    BEGIN
      FOR item IN SELECT grantee::regrole::text AS grantee, privilege_type FROM pg_namespace, aclexplode(nspacl)
                  WHERE nspname = current_schema() AND grantee <> 0 AND grantee <> nspowner LOOP
        EXECUTE format('GRANT %s ON SCHEMA ${schema} TO ', item.privilege_type) || item.grantee;
      END LOOP;
    END $$`);
  for (const table of tables) {
    await client.query(
      `CREATE TABLE ${schema}.${table} (LIKE ${table} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS
                                        INCLUDING STORAGE INCLUDING COMMENTS)`,
    );
    await client.query(`DO $$
      DECLARE item record; options text;
      BEGIN
        SELECT array_to_string(reloptions, ', ') INTO options FROM pg_class WHERE oid = '${table}'::regclass;
        IF options IS NOT NULL THEN EXECUTE 'ALTER TABLE ${schema}.${table} SET (' || options || ')'; END IF;
        FOR item IN SELECT indexrelid::regclass::text AS name, indisprimary, pg_get_indexdef(indexrelid) AS definition
                    FROM pg_index WHERE indrelid = '${table}'::regclass LOOP
          EXECUTE regexp_replace(item.definition, ' ON \\S+ USING', ' ON ${schema}.${table} USING');
          IF item.indisprimary THEN
            EXECUTE format('ALTER TABLE ${schema}.${table} ADD PRIMARY KEY USING INDEX %I', item.name);
          END IF;
        END LOOP;
      END $$`);
    await copyProtection(client, schema, table);
  }
  await client.query(`COMMENT ON SCHEMA ${schema} IS '${mark.replaceAll("'", "''")}'`);
}

/** For the rest of the transaction. Processes work under a role that may not make tables. */
async function becomeOwner(client: pg.PoolClient): Promise<void> {
  await client.query('SET LOCAL ROLE NONE');
}

/** What keeps tenants apart must hold for the new table from its first reader on. */
async function copyProtection(client: pg.PoolClient, schema: string, table: string): Promise<void> {
  await client.query(`DO $$
    DECLARE item record; target text := '${schema}.${table}';
    BEGIN
      FOR item IN SELECT policyname, permissive, roles, cmd, qual, with_check FROM pg_policies
                  WHERE schemaname = current_schema() AND tablename = '${table}' LOOP
        EXECUTE format('CREATE POLICY %I ON ', item.policyname) || target || ' AS ' || item.permissive || ' FOR ' || item.cmd
          || ' TO ' || array_to_string(item.roles, ', ')
          || coalesce(' USING (' || item.qual || ')', '') || coalesce(' WITH CHECK (' || item.with_check || ')', '');
      END LOOP;
      FOR item IN SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = '${table}'::regclass LOOP
        IF item.relrowsecurity THEN EXECUTE 'ALTER TABLE ' || target || ' ENABLE ROW LEVEL SECURITY'; END IF;
        IF item.relforcerowsecurity THEN EXECUTE 'ALTER TABLE ' || target || ' FORCE ROW LEVEL SECURITY'; END IF;
      END LOOP;
      FOR item IN SELECT grantee::regrole::text AS grantee, privilege_type FROM pg_class, aclexplode(relacl)
                  WHERE oid = '${table}'::regclass AND grantee <> 0 AND grantee <> relowner LOOP
        EXECUTE format('GRANT %s ON ', item.privilege_type) || target || ' TO ' || item.grantee;
      END LOOP;
      FOR item IN SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
                  WHERE tgrelid = '${table}'::regclass AND NOT tgisinternal LOOP
        EXECUTE regexp_replace(item.definition, ' ON \\S+ ', ' ON ' || target || ' ');
      END LOOP;
    END $$`);
}

/** Puts the tables in the place of the old ones. Readers wait for the end of the transaction. */
export async function swapShadowTables(
  client: pg.PoolClient,
  schema: string,
  tables: readonly string[],
): Promise<void> {
  await becomeOwner(client);
  await client.query(`DROP TABLE ${tables.join(', ')}`);
  for (const table of tables) {
    await client.query(`DO $$ BEGIN
      EXECUTE format('ALTER TABLE ${schema}.${table} SET SCHEMA %I', current_schema());
    END $$`);
  }
  await client.query(`DROP SCHEMA ${schema}`);
}

/** Null when there are no such tables. */
export async function readShadowMark(db: Queryable, schema: string): Promise<string | null> {
  const { rows } = await db.query<{ mark: string | null }>(
    `SELECT obj_description(oid, 'pg_namespace') AS mark FROM pg_namespace WHERE nspname = $1`,
    [schema],
  );
  return rows[0]?.mark ?? null;
}

/** Changes whenever a migration changes the tables, so that nobody goes on with a copy of older ones. */
export async function readShape(db: Queryable, tables: readonly string[]): Promise<string> {
  const { rows } = await db.query<{ shape: string }>(
    `SELECT md5(string_agg(item, ',' ORDER BY item)) AS shape FROM (
       SELECT attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) AS item FROM pg_attribute
       WHERE attrelid = ANY($1::text[]::regclass[]) AND attnum > 0 AND NOT attisdropped
       UNION ALL
       SELECT regexp_replace(pg_get_indexdef(indexrelid), ' ON \\S+ ', ' ') FROM pg_index WHERE indrelid = ANY($1::text[]::regclass[])
     ) AS items`,
    [tables],
  );
  return rows[0]?.shape ?? '';
}
