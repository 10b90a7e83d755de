-- Up Migration

-- Whether a node that waits is in event_waits. New ones are found by a column of their own, so that no plan looks at those that are known.
ALTER TABLE node_executions ADD COLUMN noted boolean NOT NULL DEFAULT false;
ALTER TABLE node_executions
  ADD COLUMN unnoted boolean GENERATED ALWAYS AS (type = 'wait' AND status = 'WAITING' AND NOT noted) STORED;
CREATE INDEX node_executions_unnoted ON node_executions (run_id) WHERE unnoted;
DROP INDEX node_executions_event_waits;

-- Down Migration

CREATE INDEX node_executions_event_waits ON node_executions (run_id, node_id, iteration) WHERE type = 'wait' AND status = 'WAITING';
ALTER TABLE node_executions DROP COLUMN unnoted, DROP COLUMN noted;
