-- Up Migration

-- Roles of the cluster, which the processes take on (SET ROLE): weft_system for work on behalf of all tenants, weft_app for that of
-- one. Neither may sign in, is a superuser or gets past row-level security. Without the right to create roles there are none: then
-- the user itself owns the tables and FORCE holds it to the same policies.
DO $$
DECLARE
  wanted name;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['weft_app', 'weft_system'] LOOP
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', wanted);
      END IF;
      IF NOT pg_has_role(wanted, 'MEMBER') THEN EXECUTE format('GRANT %I TO CURRENT_USER', wanted); END IF;
    EXCEPTION
      -- Another database of the cluster was there first.
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE NOTICE 'role % cannot be created or taken on by %: see weft doctor', wanted, current_user;
    END;
  END LOOP;
END $$;

-- What the two roles may do with a table. Events are not among what they may change.
CREATE FUNCTION weft_grant(target regclass, rights text DEFAULT 'SELECT, INSERT, UPDATE, DELETE') RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  one name;
BEGIN
  FOR one IN SELECT rolname FROM pg_roles WHERE rolname IN ('weft_app', 'weft_system') LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %I', target, one);
    EXECUTE format('GRANT %s ON %s TO %I', rights, target, one);
  END LOOP;
END $$;

-- Lets a connection see and write, of a table, what `condition` allows; weft_system everything, at no cost to its plans.
CREATE FUNCTION weft_protect_where(target regclass, condition text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  everything constant text := 'current_setting(''weft.tenant'', true) = ''*''';
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('DROP POLICY IF EXISTS weft_tenant ON %s', target);
  EXECUTE format('CREATE POLICY weft_tenant ON %s USING (%s) WITH CHECK (%2$s)', target,
                 concat_ws(' OR ', nullif(condition, ''), everything));
  EXECUTE format('DROP POLICY IF EXISTS weft_system ON %s', target);
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'weft_system') THEN
    EXECUTE format('CREATE POLICY weft_system ON %s TO weft_system USING (true) WITH CHECK (true)', target);
  END IF;
  PERFORM weft_grant(target);
END $$;

-- For a table with a column tenant_id.
CREATE FUNCTION weft_protect(target regclass) RETURNS void LANGUAGE sql AS $$
  SELECT weft_protect_where(target, 'tenant_id = current_setting(''weft.tenant'', true)')
$$;

-- For one that no tenant has to do with.
CREATE FUNCTION weft_protect_system(target regclass) RETURNS void LANGUAGE sql AS $$
  SELECT weft_protect_where(target, '')
$$;

-- Until now there was no other tenant than this.
ALTER TABLE node_executions ADD COLUMN tenant_id text COLLATE "C" NOT NULL DEFAULT 'default';
ALTER TABLE run_snapshots ADD COLUMN tenant_id text COLLATE "C" NOT NULL DEFAULT 'default';
ALTER TABLE batch_runs ADD COLUMN tenant_id text COLLATE "C" NOT NULL DEFAULT 'default';
ALTER TABLE node_executions ALTER COLUMN tenant_id DROP DEFAULT;
ALTER TABLE run_snapshots ALTER COLUMN tenant_id DROP DEFAULT;
ALTER TABLE batch_runs ALTER COLUMN tenant_id DROP DEFAULT;

SELECT weft_protect(attrelid) FROM pg_attribute JOIN pg_class class ON class.oid = attrelid
WHERE attname = 'tenant_id' AND relkind = 'r' AND relnamespace = current_schema()::regnamespace;
SELECT weft_protect_system('run_hints');
SELECT weft_protect_system('run_checks');
SELECT weft_protect_system('payload_collections');
SELECT weft_grant('events', 'SELECT, INSERT');
-- By the hash of their content: only who has a row that names one can ask for it.
SELECT weft_grant('payloads');
SELECT weft_grant('weft_migrations', 'SELECT');

DO $$
DECLARE
  one name;
BEGIN
  FOR one IN SELECT rolname FROM pg_roles WHERE rolname IN ('weft_app', 'weft_system') LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), one);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', current_schema(), one);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE, SELECT ON SEQUENCES TO %I', current_schema(), one);
  END LOOP;
END $$;

-- An index serves a condition under a policy only when its operator is known not to give away what it sees. These two do not, but
-- only a superuser may say so; without it a search by labels or words looks through the tenant's rows instead.
DO $$
BEGIN
  ALTER FUNCTION pg_catalog.jsonb_contains(jsonb, jsonb) LEAKPROOF;
  ALTER FUNCTION pg_catalog.ts_match_vq(tsvector, tsquery) LEAKPROOF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$;

-- Down Migration

DO $$
DECLARE
  target regclass;
  one name;
BEGIN
  FOR target IN SELECT polrelid FROM pg_policy WHERE polname = 'weft_tenant' LOOP
    EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('DROP POLICY weft_tenant ON %s', target);
    EXECUTE format('DROP POLICY IF EXISTS weft_system ON %s', target);
  END LOOP;
  FOR one IN SELECT rolname FROM pg_roles WHERE rolname IN ('weft_app', 'weft_system') LOOP
    EXECUTE format('DROP OWNED BY %I', one);
  END LOOP;
END $$;
ALTER TABLE node_executions DROP COLUMN tenant_id;
ALTER TABLE run_snapshots DROP COLUMN tenant_id;
ALTER TABLE batch_runs DROP COLUMN tenant_id;
DROP FUNCTION weft_protect_system, weft_protect, weft_protect_where, weft_grant;
