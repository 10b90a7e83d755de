-- Up Migration

-- The link of a chain: 32 bytes over the link before, the event's fields and its payload, then 4 bytes of the payload's own digest.
-- adapters/postgres/event-chain.ts computes the same.
ALTER TABLE events ADD COLUMN hash bytea;
-- The link of the last event; null before the first.
ALTER TABLE event_streams ADD COLUMN head_hash bytea;

ALTER TABLE events DISABLE TRIGGER events_append_only;
DO $$
DECLARE
  stream record;
  event record;
  link bytea;
  digest bytea;
BEGIN
  FOR stream IN SELECT stream_key, tenant_id, stream_id FROM event_streams WHERE version > 0 LOOP
    link := sha256(convert_to(stream.tenant_id, 'UTF8') || '\x00'::bytea || convert_to(stream.stream_id, 'UTF8'));
    FOR event IN SELECT * FROM events WHERE stream_key = stream.stream_key ORDER BY version LOOP
      digest := sha256(convert_to(event.payload::text, 'UTF8'));
      link := sha256(
        convert_to(encode(link, 'hex') || encode(digest, 'hex') || event.version, 'UTF8') || '\x00'::bytea ||
        convert_to(event.position::text, 'UTF8') || '\x00'::bytea ||
        convert_to(event.type, 'UTF8') || '\x00'::bytea ||
        convert_to(event.schema_version::text, 'UTF8') || '\x00'::bytea ||
        convert_to((extract(epoch FROM event.occurred_at) * 1000000)::bigint::text, 'UTF8') || '\x00'::bytea ||
        convert_to((extract(epoch FROM event.recorded_at) * 1000000)::bigint::text, 'UTF8') || '\x00'::bytea ||
        convert_to(coalesce('=' || event.event_id, ''), 'UTF8') || '\x00'::bytea ||
        convert_to(coalesce('=' || event.correlation_id, ''), 'UTF8') || '\x00'::bytea ||
        convert_to(coalesce('=' || event.causation_id, ''), 'UTF8')
      ) || substring(digest FOR 4);
      UPDATE events SET hash = link WHERE stream_key = event.stream_key AND version = event.version;
    END LOOP;
    UPDATE event_streams SET head_hash = link WHERE stream_key = stream.stream_key;
  END LOOP;
END $$;
ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only;
ALTER TABLE events ALTER COLUMN hash SET NOT NULL;

-- Down Migration

ALTER TABLE event_streams DROP COLUMN head_hash;
ALTER TABLE events DROP COLUMN hash;
