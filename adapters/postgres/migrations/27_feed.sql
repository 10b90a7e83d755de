-- Up Migration

-- A hint that nobody took for long belongs to the backlog.
ALTER TABLE run_hints ADD COLUMN hinted_at timestamptz NOT NULL DEFAULT now();

-- Up to when the lists of Temporal were looked through for runs that nobody had hinted at.
CREATE TABLE feed_watermarks (
  namespace text COLLATE "C" NOT NULL,
  shard smallint NOT NULL,
  listed_until timestamptz NOT NULL,
  PRIMARY KEY (namespace, shard)
);

SELECT weft_protect_system('feed_watermarks');

-- Down Migration

DROP TABLE feed_watermarks;
ALTER TABLE run_hints DROP COLUMN hinted_at;
