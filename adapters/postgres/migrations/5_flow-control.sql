-- Up Migration

ALTER TABLE runs
  ADD COLUMN labels jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN priority smallint NOT NULL DEFAULT 3;
CREATE INDEX runs_labels ON runs USING gin (labels jsonb_path_ops);

-- A run that had to be admitted, from its acceptance until it is closed.
-- WAITING: not admitted; ADMITTED: holds its leases, Temporal may not know it yet; STARTED: Temporal has it;
-- DROPPED: to be closed without having begun.
-- Names of leases, rates, debounces and turns are digests, so that any key fits an index.
CREATE TABLE run_admissions (
  run_id text COLLATE "C" PRIMARY KEY,
  tenant_id text COLLATE "C" NOT NULL,
  sequence bigint GENERATED ALWAYS AS IDENTITY,
  state text NOT NULL DEFAULT 'WAITING',
  request json NOT NULL,
  priority smallint NOT NULL,
  turn text COLLATE "C" NOT NULL,
  debounce text COLLATE "C",
  since timestamptz NOT NULL,
  ready_at timestamptz NOT NULL,
  -- The lease or rate that holds it up; null until somebody has looked.
  waits_for text COLLATE "C",
  tried_at timestamptz,
  -- How a run that is to be closed without having begun ends.
  ending json
) WITH (fillfactor = 70);
CREATE INDEX run_admissions_fresh ON run_admissions (tenant_id, ready_at) WHERE state = 'WAITING' AND waits_for IS NULL;
CREATE INDEX run_admissions_due ON run_admissions (ready_at) WHERE state = 'WAITING' AND waits_for IS NULL;
CREATE INDEX run_admissions_line ON run_admissions (tenant_id, waits_for, turn, priority, sequence)
  WHERE state = 'WAITING' AND waits_for IS NOT NULL;
CREATE INDEX run_admissions_debounce ON run_admissions (tenant_id, debounce)
  WHERE state = 'WAITING' AND debounce IS NOT NULL;
CREATE INDEX run_admissions_unstarted ON run_admissions (tried_at) WHERE state = 'ADMITTED';

-- One row per place held. Gone in the transaction that closes the run, never sooner.
CREATE TABLE run_leases (
  tenant_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  run_id text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  held_since timestamptz NOT NULL,
  -- The run has to make room for a newer one.
  leaving boolean NOT NULL DEFAULT false,
  asked_at timestamptz,
  PRIMARY KEY (tenant_id, name, run_id)
);
CREATE INDEX run_leases_run ON run_leases (run_id);
CREATE INDEX run_leases_leaving ON run_leases (asked_at NULLS FIRST) WHERE leaving;

-- Places that became free and that nobody has offered to the waiting yet.
CREATE TABLE lease_releases (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL
);
CREATE INDEX lease_releases_tenant ON lease_releases (tenant_id);

CREATE TABLE rate_starts (
  tenant_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  started_at timestamptz NOT NULL
);
CREATE INDEX rate_starts_newest ON rate_starts (tenant_id, name, started_at DESC);

-- When a rate that runs wait for lets the next one go.
CREATE TABLE rate_wakes (
  tenant_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  due_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, name)
);
CREATE INDEX rate_wakes_due ON rate_wakes (due_at);

-- Clocks of the fairness keys; '' is the common clock.
CREATE TABLE fair_turns (
  tenant_id text COLLATE "C" NOT NULL,
  turn text COLLATE "C" NOT NULL,
  served double precision NOT NULL,
  PRIMARY KEY (tenant_id, turn)
) WITH (fillfactor = 50);

-- Requests with an idempotency key that were answered with a run of another request.
CREATE TABLE run_aliases (
  id text COLLATE "C" PRIMARY KEY,
  tenant_id text COLLATE "C" NOT NULL,
  run_id text COLLATE "C" NOT NULL,
  request_digest text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Down Migration

DROP TABLE run_aliases, fair_turns, rate_wakes, rate_starts, lease_releases, run_leases, run_admissions;
ALTER TABLE runs DROP COLUMN labels, DROP COLUMN priority;
