-- Up Migration

-- A path such as `2.5`: which pass of which container. Places sort by its numbers.
ALTER TABLE node_executions ALTER COLUMN iteration TYPE text USING iteration::text;
ALTER TABLE node_executions
  ADD COLUMN port text,
  ADD COLUMN handled boolean NOT NULL DEFAULT false;
CREATE INDEX node_executions_waiting ON node_executions (type, run_id) WHERE status = 'WAITING';

-- A run started by a node of another.
ALTER TABLE runs
  ADD COLUMN parent_run_id text,
  ADD COLUMN parent_node_id text,
  ADD COLUMN parent_iteration text;
CREATE INDEX runs_by_parent ON runs (parent_run_id, created_at, id) WHERE parent_run_id IS NOT NULL;

-- Down Migration

DROP INDEX runs_by_parent;
ALTER TABLE runs DROP COLUMN parent_run_id, DROP COLUMN parent_node_id, DROP COLUMN parent_iteration;
DROP INDEX node_executions_waiting;
ALTER TABLE node_executions DROP COLUMN port, DROP COLUMN handled;
ALTER TABLE node_executions ALTER COLUMN iteration TYPE integer USING split_part(iteration, '.', 1)::integer;
