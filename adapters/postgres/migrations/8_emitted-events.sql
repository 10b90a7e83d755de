-- Up Migration

CREATE TABLE emitted_events (
  tenant_id text NOT NULL,
  id text NOT NULL,
  position bigint GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  correlation text,
  data json NOT NULL,
  -- How many events in a row led to this one, itself included.
  depth smallint NOT NULL,
  -- The run that emitted it.
  run_id text,
  emitted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When it had been handed to every trigger and wait that was there.
  dispatched_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX emitted_events_pending ON emitted_events (position) WHERE dispatched_at IS NULL;
CREATE INDEX emitted_events_by_name ON emitted_events (tenant_id, name, emitted_at);
CREATE INDEX emitted_events_newest ON emitted_events (tenant_id, emitted_at DESC, id DESC);

CREATE TABLE event_triggers (
  id text PRIMARY KEY,
  tenant_id text NOT NULL,
  name text NOT NULL,
  event text NOT NULL,
  filter text,
  workflow_id text NOT NULL,
  version integer,
  mapping json,
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now())
);
CREATE INDEX event_triggers_by_event ON event_triggers (tenant_id, event) WHERE enabled;
CREATE INDEX event_triggers_newest ON event_triggers (tenant_id, created_at DESC, id DESC);

-- Open `wait` nodes as far as they are known. A wait that is new here looks back, once, at what was emitted since it opened.
CREATE TABLE event_waits (
  run_id text NOT NULL,
  node_id text NOT NULL,
  iteration text NOT NULL,
  tenant_id text NOT NULL,
  event text NOT NULL,
  correlation text,
  opened_at timestamptz NOT NULL,
  looked_back boolean NOT NULL DEFAULT false,
  PRIMARY KEY (run_id, node_id, iteration)
);
CREATE INDEX event_waits_by_event ON event_waits (tenant_id, event, correlation);
CREATE INDEX event_waits_new ON event_waits (run_id) WHERE NOT looked_back;
CREATE INDEX node_executions_event_waits ON node_executions (run_id, node_id, iteration) WHERE type = 'wait' AND status = 'WAITING';

-- An event on its way to a run that waits for it.
CREATE TABLE event_wakes (
  tenant_id text NOT NULL,
  event_id text NOT NULL,
  run_id text NOT NULL,
  -- PENDING, SENT or DEAD.
  state text NOT NULL DEFAULT 'PENDING',
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(),
  error json,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, event_id, run_id)
) WITH (fillfactor = 80);
CREATE INDEX event_wakes_due ON event_wakes (due_at) WHERE state = 'PENDING';

-- Down Migration

DROP TABLE event_wakes, event_waits, event_triggers, emitted_events;
DROP INDEX node_executions_event_waits;
