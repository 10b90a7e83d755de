-- Up Migration

CREATE TABLE batches (
  id text COLLATE "C" PRIMARY KEY,
  tenant_id text COLLATE "C" NOT NULL,
  operation text NOT NULL,
  status text NOT NULL,
  filter json NOT NULL,
  reason text,
  dry_run boolean NOT NULL,
  created_by text,
  total integer NOT NULL,
  done integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  closed_at timestamptz,
  -- One process works on it; another may after this moment.
  claimed_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
CREATE INDEX batches_newest ON batches (tenant_id, created_at DESC, id DESC);
CREATE INDEX batches_running ON batches (claimed_until) WHERE status = 'RUNNING';

-- The runs of a batch as they were chosen. TAKEN says that somebody began: whether it was done may not be known.
CREATE TABLE batch_runs (
  batch_id text COLLATE "C" NOT NULL,
  run_id text COLLATE "C" NOT NULL,
  state text NOT NULL DEFAULT 'WAITING',
  error json,
  PRIMARY KEY (batch_id, run_id)
) WITH (fillfactor = 70);
CREATE INDEX batch_runs_left ON batch_runs (batch_id, run_id) WHERE state IN ('WAITING', 'TAKEN');
CREATE INDEX batch_runs_failed ON batch_runs (batch_id, run_id) WHERE state = 'FAILED';

-- Down Migration

DROP TABLE batch_runs, batches;
