-- Up Migration

-- Where the runs of a batch that migrates them go: {toVersion, mapping}.
ALTER TABLE batches ADD COLUMN migration json;

-- Down Migration

ALTER TABLE batches DROP COLUMN migration;
