-- Up Migration

-- The words of a run: its name, labels, input, output and errors.
CREATE TABLE run_search (
  tenant_id text COLLATE "C" NOT NULL,
  run_id text COLLATE "C" NOT NULL,
  document tsvector NOT NULL,
  PRIMARY KEY (tenant_id, run_id)
);
CREATE INDEX run_search_document ON run_search USING gin (document);
-- Words in the order of their events, up to what the type can hold.
CREATE FUNCTION weft_add_words(document tsvector, words tsvector) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN octet_length(document::text) < 300000 THEN document || words ELSE document END
$$;
CREATE AGGREGATE weft_words(tsvector) (SFUNC = weft_add_words, STYPE = tsvector, INITCOND = '');

-- Executions of a node on a day, of runs that are closed.
CREATE TABLE node_stats (
  tenant_id text COLLATE "C" NOT NULL,
  workflow_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  node_id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  type text NOT NULL,
  completed bigint NOT NULL,
  failed bigint NOT NULL,
  cancelled bigint NOT NULL,
  skipped bigint NOT NULL,
  retries bigint NOT NULL,
  total_ms bigint NOT NULL,
  longest_ms bigint NOT NULL,
  last_error json,
  last_error_at timestamptz,
  last_error_run text,
  PRIMARY KEY (tenant_id, workflow_id, version, node_id, day)
);
-- How long they took, by classes of durations.
CREATE TABLE node_durations (
  tenant_id text COLLATE "C" NOT NULL,
  workflow_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  node_id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  bucket smallint NOT NULL,
  executions bigint NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id, version, node_id, day, bucket)
);

-- Empty texts where a call was made outside a run, or by nobody in particular.
CREATE TABLE model_usage (
  tenant_id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  workflow_id text COLLATE "C" NOT NULL,
  provider text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  calls bigint NOT NULL,
  failures bigint NOT NULL,
  -- Those whose cost is not known.
  unpriced bigint NOT NULL,
  input_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  cached_input_tokens bigint NOT NULL,
  reasoning_tokens bigint NOT NULL,
  cost_micro_usd bigint NOT NULL,
  total_ms bigint NOT NULL,
  PRIMARY KEY (tenant_id, day, workflow_id, provider, model, subject)
);

-- What a provider of models or a tool was like in an hour.
CREATE TABLE service_calls (
  tenant_id text COLLATE "C" NOT NULL,
  hour timestamptz NOT NULL,
  kind text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  calls bigint NOT NULL,
  failures bigint NOT NULL,
  total_ms bigint NOT NULL,
  longest_ms bigint NOT NULL,
  last_error json,
  last_error_at timestamptz,
  PRIMARY KEY (tenant_id, hour, kind, name)
);
CREATE TABLE service_latencies (
  tenant_id text COLLATE "C" NOT NULL,
  hour timestamptz NOT NULL,
  kind text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  bucket smallint NOT NULL,
  calls bigint NOT NULL,
  PRIMARY KEY (tenant_id, hour, kind, name, bucket)
);
-- The same of task queues, counted with the nodes that were on them.
CREATE TABLE queue_calls (LIKE service_calls INCLUDING ALL);
CREATE TABLE queue_latencies (LIKE service_latencies INCLUDING ALL);

-- Who did what, when.
CREATE TABLE audit_trail (
  tenant_id text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  occurred_at timestamptz NOT NULL,
  action text COLLATE "C" NOT NULL,
  actor text COLLATE "C",
  target text COLLATE "C" NOT NULL,
  detail json NOT NULL,
  PRIMARY KEY (tenant_id, position)
);
CREATE INDEX audit_trail_actor ON audit_trail (tenant_id, actor, position);
CREATE INDEX audit_trail_target ON audit_trail (tenant_id, target, position);

SELECT weft_protect(name::regclass) FROM unnest(ARRAY['run_search', 'node_stats', 'node_durations', 'model_usage', 'service_calls',
  'service_latencies', 'queue_calls', 'queue_latencies', 'audit_trail']) AS name;

-- Down Migration

DROP TABLE run_search, node_stats, node_durations, model_usage, service_calls, service_latencies, queue_calls, queue_latencies, audit_trail;
DROP AGGREGATE weft_words(tsvector);
DROP FUNCTION weft_add_words;
