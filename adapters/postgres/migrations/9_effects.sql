-- Up Migration

-- One row per attempt of a call to the outside: written before the call, updated once, when it is answered.
CREATE TABLE effects (
  run_id text NOT NULL,
  node_id text NOT NULL,
  iteration text NOT NULL,
  attempt integer NOT NULL,
  tenant_id text NOT NULL,
  -- Sent along as the idempotency key.
  key text NOT NULL,
  kind text NOT NULL,
  request json NOT NULL,
  request_hash text NOT NULL,
  scheduled_at timestamptz NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  state text NOT NULL DEFAULT 'STARTED' CHECK (state IN ('STARTED', 'RECEIPT', 'FAILED', 'UNKNOWN')),
  receipt json NOT NULL DEFAULT 'null',
  error json,
  finished_at timestamptz,
  PRIMARY KEY (run_id, node_id, iteration, attempt)
) WITH (fillfactor = 70);

-- Down Migration

DROP TABLE effects;
