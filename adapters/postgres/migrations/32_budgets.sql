-- Up Migration

-- What calls of models may cost. `target` null: whoever there is, each with a window of its own.
CREATE TABLE budgets (
  tenant_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  scope text NOT NULL CHECK (scope IN ('TENANT', 'PROJECT', 'USER', 'WORKFLOW', 'RUN')),
  target text COLLATE "C",
  period text NOT NULL CHECK (period IN ('DAY', 'WEEK', 'MONTH', 'TOTAL')),
  unit text NOT NULL CHECK (unit IN ('TOKENS', 'MICRO_USD')),
  limit_amount bigint NOT NULL CHECK (limit_amount >= 0),
  action text NOT NULL CHECK (action IN ('BLOCK', 'DOWNGRADE', 'PARK')),
  -- `provider/model`.
  downgrade_to text,
  -- Percent of the limit at which somebody is told.
  warn_at integer[] NOT NULL DEFAULT '{50,80,95}',
  enabled boolean NOT NULL DEFAULT true,
  revision integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, id)
);

-- One for each budget, target and period; a new period is a new row, so that nothing is ever set back to zero.
CREATE TABLE budget_windows (
  tenant_id text COLLATE "C" NOT NULL,
  budget_id text COLLATE "C" NOT NULL,
  target text COLLATE "C" NOT NULL,
  starts_at timestamptz NOT NULL,
  spent bigint NOT NULL DEFAULT 0,
  -- Of calls under way.
  reserved bigint NOT NULL DEFAULT 0,
  -- The highest percentage that was told.
  warned integer NOT NULL DEFAULT 0,
  refused_at timestamptz,
  PRIMARY KEY (tenant_id, budget_id, target, starts_at),
  FOREIGN KEY (tenant_id, budget_id) REFERENCES budgets ON DELETE CASCADE
) WITH (fillfactor = 50);

-- Calls that were let pass, until some days after they ended: the same one is not counted twice.
CREATE TABLE budget_reservations (
  tenant_id text COLLATE "C" NOT NULL,
  call_id text COLLATE "C" NOT NULL,
  -- What all attempts of one activity have in common, and which of them this is.
  activity text COLLATE "C" NOT NULL,
  attempt integer NOT NULL,
  run_id text COLLATE "C",
  provider text NOT NULL,
  model text NOT NULL,
  -- Each {budget, target, startsAt, unit, amount}.
  entries jsonb NOT NULL,
  -- RESERVED, SETTLED, or RELEASED: its worker was lost.
  state text NOT NULL DEFAULT 'RESERVED',
  worker text COLLATE "C" NOT NULL,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  closed_at timestamptz,
  PRIMARY KEY (call_id)
);
CREATE INDEX budget_reservations_open ON budget_reservations (expires_at) WHERE state = 'RESERVED';
CREATE INDEX budget_reservations_activity ON budget_reservations (activity) WHERE state = 'RESERVED';
CREATE INDEX budget_reservations_closed ON budget_reservations (closed_at) WHERE closed_at IS NOT NULL;

SELECT weft_protect('budgets'), weft_protect('budget_windows'), weft_protect('budget_reservations');

-- In UTC; weeks begin on Monday, and all time in 1970.
CREATE FUNCTION weft_period_start(period text, at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT CASE period WHEN 'TOTAL' THEN to_timestamp(0) ELSE date_trunc(lower(period), at, 'UTC') END
$$;

-- Down Migration

DROP FUNCTION weft_period_start;
DROP TABLE budget_reservations, budget_windows, budgets;
