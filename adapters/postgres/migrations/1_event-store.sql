-- Up Migration

CREATE TABLE payloads (
  hash text PRIMARY KEY,
  bytes bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
-- Most payloads are compressed or already short; TOAST's own attempt only costs time.
ALTER TABLE payloads ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- One row per Temporal run (a link of a run), or per stream of any other kind.
CREATE TABLE event_streams (
  stream_key bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  tenant_id text COLLATE "C" NOT NULL,
  stream_id text COLLATE "C" NOT NULL,
  run_id text,
  temporal_run_id text,
  -- Events of the run in earlier links: sequence within the run = sequence_base + version.
  sequence_base integer NOT NULL DEFAULT 0,
  version integer NOT NULL DEFAULT 0,
  next_page_token bytea,
  closed boolean NOT NULL DEFAULT false,
  first_event_at timestamptz,
  progressed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, stream_id)
) WITH (fillfactor = 70);
CREATE INDEX event_streams_run ON event_streams (run_id, sequence_base) WHERE run_id IS NOT NULL;

-- The last position given out per tenant. Updated once per append: room for HOT updates keeps it on one page.
CREATE TABLE tenant_heads (
  tenant_id text PRIMARY KEY,
  head bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

-- `json`, not `jsonb`: keeps the text as it came (key order, numbers, escaped NUL) and is cheaper to write.
CREATE TABLE events (
  stream_key bigint NOT NULL,
  version integer NOT NULL,
  position bigint NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  schema_version smallint NOT NULL,
  tenant_id text COLLATE "C" NOT NULL,
  type text NOT NULL,
  -- Null for run events, whose id and correlation follow from the stream.
  event_id text,
  correlation_id text,
  causation_id text,
  payload json NOT NULL,
  PRIMARY KEY (stream_key, version)
);
CREATE UNIQUE INDEX events_position ON events (tenant_id, position);

CREATE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are append-only: % is refused', TG_OP USING ERRCODE = 'WE001';
END;
$$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_change();
-- ALWAYS: also in sessions that run with session_replication_role = replica.
ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only;

-- Down Migration

DROP TABLE events, tenant_heads, event_streams, payloads;
DROP FUNCTION refuse_event_change();
