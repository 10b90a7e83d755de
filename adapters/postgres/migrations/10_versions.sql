-- Up Migration

-- A deprecated version starts no new runs; those under way go on.
ALTER TABLE definitions ADD COLUMN deprecated_at timestamptz, ADD COLUMN deprecation_reason text;

CREATE FUNCTION refuse_definition_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.tenant_id, NEW.workflow_id, NEW.version, NEW.hash, NEW.definition::text, NEW.created_at)
     IS DISTINCT FROM (OLD.tenant_id, OLD.workflow_id, OLD.version, OLD.hash, OLD.definition::text, OLD.created_at) THEN
    RAISE EXCEPTION 'version % of workflow % is published and never changes', OLD.version, OLD.workflow_id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER definitions_immutable BEFORE UPDATE ON definitions
  FOR EACH ROW EXECUTE FUNCTION refuse_definition_change();

-- What somebody is writing; one a workflow. `json` keeps the text as it was sent, valid or not.
CREATE TABLE drafts (
  tenant_id text NOT NULL,
  workflow_id text NOT NULL,
  definition json NOT NULL,
  based_on_version integer,
  revision integer NOT NULL,
  updated_by text,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, workflow_id)
) WITH (fillfactor = 70);

-- The version that a migrated run began with; null for one that has kept its own.
ALTER TABLE runs ADD COLUMN started_version integer, ADD COLUMN started_hash text;

-- Down Migration

ALTER TABLE runs DROP COLUMN started_version, DROP COLUMN started_hash;
DROP TABLE drafts;
DROP TRIGGER definitions_immutable ON definitions;
DROP FUNCTION refuse_definition_change;
ALTER TABLE definitions DROP COLUMN deprecated_at, DROP COLUMN deprecation_reason;
