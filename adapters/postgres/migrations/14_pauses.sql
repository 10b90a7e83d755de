-- Up Migration

-- Why a PAUSED run is, and who wanted it: {reason, by}.
ALTER TABLE runs ADD COLUMN paused json;

-- Down Migration

ALTER TABLE runs DROP COLUMN paused;
