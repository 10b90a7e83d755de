-- Up Migration

-- A partition a month, by the time of recording. Unique keys have to carry that time: within a stream and a tenant it is the writer,
-- who holds the stream's and the tenant's row, that gives each version and position once.
ALTER TABLE events RENAME TO events_before;
DROP TRIGGER events_append_only ON events_before;
ALTER TABLE events_before DROP CONSTRAINT events_pkey;
DROP INDEX events_position;

CREATE TABLE events (LIKE events_before INCLUDING DEFAULTS INCLUDING STORAGE) PARTITION BY RANGE (recorded_at);
ALTER TABLE events ADD PRIMARY KEY (stream_key, version, recorded_at);
CREATE UNIQUE INDEX events_position ON events (tenant_id, position, recorded_at);
SELECT weft_protect('events');
SELECT weft_grant('events', 'SELECT, INSERT');

-- Streams whose events are in an archive (event_archives); nobody but who moves them there may remove events.
ALTER TABLE event_streams ADD COLUMN archived boolean NOT NULL DEFAULT false;

CREATE OR REPLACE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND TG_RELID = 'events'::regclass AND current_setting('weft.archiving', true) = 'on' THEN RETURN NULL; END IF;
  RAISE EXCEPTION 'events are append-only: % is refused', TG_OP USING ERRCODE = 'WE001';
END;
$$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_change();
ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only;

CREATE FUNCTION refuse_unarchived_loss() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM gone WHERE NOT EXISTS (
               SELECT FROM event_streams stream WHERE stream.stream_key = gone.stream_key AND stream.archived)) THEN
    RAISE EXCEPTION 'events are append-only: these are in no archive' USING ERRCODE = 'WE001';
  END IF;
  RETURN NULL;
END;
$$;
CREATE TRIGGER events_kept_or_archived AFTER DELETE ON events REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_unarchived_loss();
ALTER TABLE events ENABLE ALWAYS TRIGGER events_kept_or_archived;

-- Nobody works on a partition by its own name.
CREATE FUNCTION weft_close_event_partition(target regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  one name;
BEGIN
  FOR one IN SELECT rolname FROM pg_roles WHERE rolname IN ('weft_app', 'weft_system') LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %I', target, one);
  END LOOP;
  EXECUTE format('CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s
                  FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_change()', target);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER events_append_only', target);
END $$;

-- Makes those of the months up to `until` that are missing. Built aside and attached, so that writers do not wait.
CREATE FUNCTION weft_make_event_partitions(until timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  month timestamptz := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
  following timestamptz;
  target text;
  made integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('weft event partitions', 0));
  WHILE month <= until LOOP
    following := (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC';
    target := to_char(month AT TIME ZONE 'UTC', '"events_"YYYY_MM');
    -- A month that has begun in the partition of last resort, or before the table was parted, stays there.
    IF to_regclass(target) IS NULL AND NOT EXISTS (SELECT FROM events_rest WHERE recorded_at >= month AND recorded_at < following)
       AND following > coalesce((SELECT ends FROM events_parted), '-infinity') THEN
      EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING INDEXES)', target);
      PERFORM weft_close_event_partition(target::regclass);
      EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', target, month, following);
      made := made + 1;
    END IF;
    month := following;
  END LOOP;
  RETURN made;
END $$;

-- Rows from before stay where they are, in one partition that ends with this month.
CREATE TABLE events_parted (ends timestamptz NOT NULL);
SELECT weft_protect_system('events_parted');
DO $$
DECLARE
  ends timestamptz := (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
  CREATE TABLE events_rest (LIKE events INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING INDEXES);
  PERFORM weft_close_event_partition('events_rest');
  ALTER TABLE events ATTACH PARTITION events_rest DEFAULT;
  IF EXISTS (SELECT FROM events_before) THEN
    INSERT INTO events_parted VALUES (ends);
    ALTER TABLE events_before NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
    DROP POLICY weft_tenant ON events_before;
    DROP POLICY IF EXISTS weft_system ON events_before;
    ALTER TABLE events_before ADD PRIMARY KEY (stream_key, version, recorded_at);
    CREATE UNIQUE INDEX events_before_position ON events_before (tenant_id, position, recorded_at);
    PERFORM weft_close_event_partition('events_before');
    EXECUTE format('ALTER TABLE events ATTACH PARTITION events_before FOR VALUES FROM (MINVALUE) TO (%L)', ends);
  ELSE
    DROP TABLE events_before;
  END IF;
  PERFORM weft_make_event_partitions(now() + interval '3 months');
END $$;

-- Down Migration

ALTER TABLE events RENAME TO events_parts;
ALTER INDEX events_position RENAME TO events_parts_position;
ALTER INDEX events_pkey RENAME TO events_parts_pkey;
CREATE TABLE events (LIKE events_parts INCLUDING DEFAULTS INCLUDING STORAGE);
INSERT INTO events SELECT * FROM events_parts;
DROP TABLE events_parts, events_parted;
ALTER TABLE events ADD PRIMARY KEY (stream_key, version);
CREATE UNIQUE INDEX events_position ON events (tenant_id, position);
CREATE OR REPLACE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are append-only: % is refused', TG_OP USING ERRCODE = 'WE001';
END;
$$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_event_change();
ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only;
SELECT weft_protect('events');
SELECT weft_grant('events', 'SELECT, INSERT');
DROP FUNCTION weft_make_event_partitions, weft_close_event_partition, refuse_unarchived_loss;
ALTER TABLE event_streams DROP COLUMN archived;
