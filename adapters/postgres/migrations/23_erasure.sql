-- Up Migration

-- Whose personal data the values of a run are; null where nobody said so.
ALTER TABLE runs ADD COLUMN subject text;
CREATE INDEX runs_by_subject ON runs (tenant_id, subject) WHERE subject IS NOT NULL;

-- Whether the values of its events were sealed from the first one on.
ALTER TABLE event_streams ADD COLUMN sealed boolean NOT NULL DEFAULT false;

-- Keys that values in the event store are sealed with, themselves sealed with WEFT_SECRET_KEY. Erased is: the key is gone.
CREATE TABLE erasure_keys (
  tenant_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  -- Empty: of the runs of the tenant that have no subject.
  subject text NOT NULL,
  wrapped text,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  erased_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX erasure_keys_current ON erasure_keys (tenant_id, subject) WHERE erased_at IS NULL;
SELECT weft_protect('erasure_keys');

-- Down Migration

DROP TABLE erasure_keys;
ALTER TABLE event_streams DROP COLUMN sealed;
DROP INDEX runs_by_subject;
ALTER TABLE runs DROP COLUMN subject;
