-- Up Migration

-- A run that takes over results of another: which, how, and what it begins with.
ALTER TABLE runs
  ADD COLUMN rerun_of text COLLATE "C",
  ADD COLUMN rerun json,
  -- May be a reference into the payload store, as other large values.
  ADD COLUMN seed json,
  -- Versions of the implementations of node types that its nodes ran with, other than 1.
  ADD COLUMN implementations json;
CREATE INDEX runs_by_rerun ON runs (rerun_of, created_at, id) WHERE rerun_of IS NOT NULL;

-- The run that did the work whose result was taken over.
ALTER TABLE node_executions ADD COLUMN reused_from text COLLATE "C";

-- Of a batch of counterfactual runs: what is different in them.
ALTER TABLE batches ADD COLUMN what_if json;

-- Down Migration

ALTER TABLE batches DROP COLUMN what_if;

ALTER TABLE node_executions DROP COLUMN reused_from;
DROP INDEX runs_by_rerun;
ALTER TABLE runs DROP COLUMN rerun_of, DROP COLUMN rerun, DROP COLUMN seed, DROP COLUMN implementations;
