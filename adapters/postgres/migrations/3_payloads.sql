-- Up Migration

ALTER TABLE payloads
  -- Null when the bytes lie at `location`.
  ALTER COLUMN bytes DROP NOT NULL,
  ADD COLUMN location text,
  -- False from before the bytes are written to `location`, and again before they are removed from there.
  ADD COLUMN stored boolean NOT NULL DEFAULT true,
  ADD COLUMN size integer,
  -- Of the key that encrypted the bytes.
  ADD COLUMN key_id text,
  -- Renewed by every put, at most once an hour.
  ADD COLUMN used_at timestamptz NOT NULL DEFAULT now(),
  -- The first look of the collector that found nothing pointing here, and no later one did.
  ADD COLUMN unreferenced_since timestamptz;
UPDATE payloads SET size = length(bytes), used_at = created_at;
ALTER TABLE payloads ALTER COLUMN size SET NOT NULL;
CREATE INDEX payloads_unreferenced ON payloads (unreferenced_since) WHERE unreferenced_since IS NOT NULL;
CREATE INDEX payloads_by_key ON payloads (key_id) WHERE key_id IS NOT NULL;

CREATE TABLE payload_collections (
  started_at timestamptz PRIMARY KEY,
  finished_at timestamptz NOT NULL,
  referenced bigint NOT NULL,
  unreferenced bigint NOT NULL,
  deleted bigint NOT NULL,
  deleted_bytes bigint NOT NULL
);

-- Down Migration

DROP TABLE payload_collections;
DROP INDEX payloads_by_key, payloads_unreferenced;
DELETE FROM payloads WHERE bytes IS NULL;
ALTER TABLE payloads DROP COLUMN location, DROP COLUMN stored, DROP COLUMN size, DROP COLUMN key_id, DROP COLUMN used_at,
  DROP COLUMN unreferenced_since, ALTER COLUMN bytes SET NOT NULL;
