-- Up Migration

ALTER TABLE runs
  ADD COLUMN trigger_kind text NOT NULL DEFAULT 'MANUAL',
  ADD COLUMN trigger_id text,
  ADD COLUMN trigger_source text,
  ADD COLUMN trigger_depth smallint NOT NULL DEFAULT 0;
CREATE INDEX runs_by_trigger ON runs (tenant_id, trigger_kind, trigger_id, created_at DESC, id DESC)
  WHERE trigger_kind <> 'MANUAL';

-- What is wanted of a schedule; Temporal runs it. `synced_revision` is the last one that Temporal was told.
CREATE TABLE schedules (
  tenant_id text NOT NULL,
  id text NOT NULL,
  workflow_id text NOT NULL,
  -- Null: the latest when it fires.
  version integer,
  name text NOT NULL,
  input json NOT NULL,
  mapping json,
  spec json NOT NULL,
  overlap text NOT NULL,
  catchup_window_ms bigint NOT NULL,
  pause_on_failure boolean NOT NULL,
  -- When Temporal makes it; afterwards Temporal knows.
  starts_paused boolean NOT NULL DEFAULT false,
  start_note text,
  revision integer NOT NULL DEFAULT 1,
  synced_revision integer NOT NULL DEFAULT 0,
  tried_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX schedules_newest ON schedules (tenant_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX schedules_unsynced ON schedules (tried_at) WHERE synced_revision < revision;

-- `secrets`: sealed texts with the moment each ends, newest first.
CREATE TABLE webhooks (
  id text PRIMARY KEY,
  tenant_id text NOT NULL,
  workflow_id text NOT NULL,
  version integer,
  name text NOT NULL,
  mapping json,
  secrets json NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now())
);
CREATE INDEX webhooks_by_tenant ON webhooks (tenant_id, created_at DESC, id DESC);

-- One row per firing of a trigger, made where it fires and worked off by any API process.
CREATE TABLE trigger_firings (
  -- Kind, trigger and source: the same firing always has the same id, which is also the run's idempotency key.
  id text PRIMARY KEY,
  tenant_id text NOT NULL,
  kind text NOT NULL,
  trigger_id text NOT NULL,
  source text NOT NULL,
  source_hash text,
  workflow_id text NOT NULL,
  version integer,
  input json NOT NULL,
  depth smallint NOT NULL DEFAULT 0,
  -- PENDING, STARTED or DEAD.
  state text NOT NULL DEFAULT 'PENDING',
  run_id text,
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(),
  error json,
  -- The Temporal workflow that stands for the run towards its schedule, until it was told the end of the run.
  holder_id text,
  stop_requested text,
  reported_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now())
) WITH (fillfactor = 80);
CREATE INDEX trigger_firings_due ON trigger_firings (due_at) WHERE state = 'PENDING';
CREATE INDEX trigger_firings_held ON trigger_firings (run_id)
  WHERE holder_id IS NOT NULL AND reported_at IS NULL AND state <> 'PENDING';
CREATE INDEX trigger_firings_by_trigger ON trigger_firings (tenant_id, kind, trigger_id, created_at DESC, id DESC);

-- Down Migration

DROP TABLE trigger_firings, webhooks, schedules;
DROP INDEX runs_by_trigger;
ALTER TABLE runs DROP COLUMN trigger_kind, DROP COLUMN trigger_id, DROP COLUMN trigger_source, DROP COLUMN trigger_depth;
