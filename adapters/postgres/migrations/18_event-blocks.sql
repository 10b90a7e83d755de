-- Up Migration

-- Which blocks of 1024 positions have events of a type, or of a correlation id that is not a run's own.
CREATE TABLE event_blocks (
  tenant_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  block bigint NOT NULL,
  PRIMARY KEY (tenant_id, kind, key, block)
);
INSERT INTO event_blocks SELECT DISTINCT tenant_id, 'type', type, (position - 1) / 1024 FROM events;
INSERT INTO event_blocks SELECT DISTINCT tenant_id, 'correlation', correlation_id, (position - 1) / 1024 FROM events
  WHERE correlation_id IS NOT NULL;

-- Down Migration

DROP TABLE event_blocks;
