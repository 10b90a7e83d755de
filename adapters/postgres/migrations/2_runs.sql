-- Up Migration

-- `json` keeps the canonical text, so the hash can be computed again from what is stored.
CREATE TABLE definitions (
  tenant_id text NOT NULL,
  workflow_id text NOT NULL,
  version integer NOT NULL,
  hash text NOT NULL,
  definition json NOT NULL,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, workflow_id, version),
  UNIQUE (tenant_id, workflow_id, hash)
);
CREATE INDEX definitions_hash ON definitions (hash);

CREATE TABLE runs (
  id text PRIMARY KEY,
  tenant_id text NOT NULL,
  workflow_id text NOT NULL,
  version integer NOT NULL,
  definition_hash text NOT NULL,
  input json NOT NULL,
  idempotency_key text,
  created_at timestamptz NOT NULL,
  shard smallint NOT NULL GENERATED ALWAYS AS (hashtext(id) & 15) STORED,
  -- From here on written by the projector alone.
  status text NOT NULL DEFAULT 'PENDING',
  output json NOT NULL DEFAULT 'null',
  error json,
  started_at timestamptz,
  closed_at timestamptz,
  temporal_run_id text,
  event_count integer NOT NULL DEFAULT 0
) WITH (fillfactor = 80);
CREATE INDEX runs_newest ON runs (tenant_id, created_at DESC, id DESC);
CREATE INDEX runs_by_workflow ON runs (tenant_id, workflow_id, created_at DESC, id DESC);
CREATE INDEX runs_by_status ON runs (tenant_id, status, created_at DESC, id DESC);
CREATE INDEX runs_open ON runs (shard) WHERE closed_at IS NULL;

CREATE TABLE node_executions (
  run_id text NOT NULL,
  node_id text NOT NULL,
  iteration integer NOT NULL,
  -- Place in the definition.
  ordinal integer NOT NULL,
  type text NOT NULL,
  status text NOT NULL,
  attempts integer NOT NULL,
  input json NOT NULL,
  output json NOT NULL,
  error json,
  started_at timestamptz,
  closed_at timestamptz,
  PRIMARY KEY (run_id, node_id, iteration)
) WITH (fillfactor = 70);

-- Wake-up calls only: a crash may empty both tables, the reconciler finds what was missed.
CREATE UNLOGGED TABLE run_hints (
  run_id text PRIMARY KEY,
  shard smallint NOT NULL GENERATED ALWAYS AS (hashtext(run_id) & 15) STORED
);
CREATE UNLOGGED TABLE run_checks (
  run_id text PRIMARY KEY,
  checked_at timestamptz NOT NULL
);

-- Down Migration

DROP TABLE run_checks, run_hints, node_executions, runs, definitions;
