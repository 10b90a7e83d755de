-- Up Migration

-- What is still to be done to the schedule in Temporal, oldest first: [{requestId, askedAt, by, act}].
ALTER TABLE schedules ADD COLUMN open_acts jsonb NOT NULL DEFAULT '[]';
CREATE INDEX schedules_with_acts ON schedules (tried_at) WHERE open_acts <> '[]';

-- Down Migration

ALTER TABLE schedules DROP COLUMN open_acts;
