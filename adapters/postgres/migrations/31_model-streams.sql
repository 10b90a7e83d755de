-- What models say while they say it. A preview: it lives for minutes and is gone after a crash of the server, while the durable
-- result is in Temporal. `event` is a TokenEvent.
CREATE UNLOGGED TABLE token_chunks (
  tenant_id text COLLATE "C" NOT NULL,
  run_id text COLLATE "C" NOT NULL,
  node_id text COLLATE "C" NOT NULL,
  iteration text COLLATE "C" NOT NULL,
  attempt integer NOT NULL,
  seq integer NOT NULL,
  event jsonb NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (run_id, node_id, iteration, attempt, seq)
);
CREATE INDEX token_chunks_age ON token_chunks (recorded_at);
SELECT weft_protect('token_chunks');

-- How the models are doing, as the worker processes see them; each writes its own rows when something changes.
CREATE TABLE model_health (
  worker text COLLATE "C" NOT NULL,
  provider text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  failures integer NOT NULL,
  open_until timestamptz,
  last_error_code text,
  last_error_at timestamptz,
  last_success_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (worker, provider, model)
);
SELECT weft_protect_system('model_health');
