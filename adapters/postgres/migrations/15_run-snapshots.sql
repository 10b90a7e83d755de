-- Up Migration

-- The state of a run after an event. Saves folding what lies before; can be made again at any time.
CREATE TABLE run_snapshots (
  run_id text COLLATE "C" NOT NULL,
  sequence integer NOT NULL,
  -- The code that folded it; other code does not use it.
  engine text NOT NULL,
  definition_hash text NOT NULL,
  -- A reference to compressed bytes in the payload store, which encrypts and collects them like other values.
  state json NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, sequence)
);

-- Down Migration

DROP TABLE run_snapshots;
