-- Up Migration

-- Files with events of closed runs. The row is there before the file, so that none is forgotten.
CREATE TABLE event_archive_files (
  tenant_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  location text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, name)
);
SELECT weft_protect('event_archive_files');

-- Events of a run that are in a file instead of the table: all of the links that had ended.
CREATE TABLE event_archives (
  tenant_id text COLLATE "C" NOT NULL,
  run_id text COLLATE "C" NOT NULL,
  first_sequence integer NOT NULL,
  last_sequence integer NOT NULL,
  first_position bigint NOT NULL,
  last_position bigint NOT NULL,
  events integer NOT NULL,
  file text COLLATE "C" NOT NULL,
  -- Where in the file the run's own gzip member is.
  starts bigint NOT NULL,
  bytes integer NOT NULL,
  sha256 bytea NOT NULL,
  -- The values in the payload store that the events name; keeps them there.
  large_values json NOT NULL,
  archived_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, run_id, first_sequence),
  FOREIGN KEY (tenant_id, file) REFERENCES event_archive_files (tenant_id, name)
);
CREATE INDEX event_archives_run ON event_archives (run_id);
CREATE INDEX event_archives_position ON event_archives (tenant_id, first_position);
CREATE INDEX event_archives_last_position ON event_archives (tenant_id, last_position);
SELECT weft_protect('event_archives');

-- Down Migration

DROP TABLE event_archives, event_archive_files;
