-- Up Migration

-- Runs that a tenant with a quota has begun on a day (UTC).
CREATE TABLE tenant_days (
  tenant_id text COLLATE "C" NOT NULL REFERENCES tenants,
  day date NOT NULL,
  runs integer NOT NULL,
  PRIMARY KEY (tenant_id, day)
) WITH (fillfactor = 50);
SELECT weft_protect('tenant_days');

CREATE INDEX runs_open_of_tenant ON runs (tenant_id) WHERE closed_at IS NULL AND parent_run_id IS NULL;

-- Down Migration

DROP INDEX runs_open_of_tenant;
DROP TABLE tenant_days;
