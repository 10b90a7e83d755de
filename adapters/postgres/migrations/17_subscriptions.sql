-- Up Migration

-- Readers of a tenant's events that go on where they stopped.
CREATE TABLE subscriptions (
  tenant_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  partitions smallint NOT NULL,
  -- Null: all types.
  types text[],
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, name)
);

-- Whoever has locked the row reads the partition.
CREATE TABLE subscription_partitions (
  tenant_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  partition smallint NOT NULL,
  -- Everything up to here is done.
  position bigint NOT NULL,
  -- Of what comes next, in a row.
  failures integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT '-infinity',
  -- The end of a batch that failed: up to here events are handled one by one.
  single_until bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, name, partition),
  FOREIGN KEY (tenant_id, name) REFERENCES subscriptions ON DELETE CASCADE
) WITH (fillfactor = 50);

-- Events that a subscription could not handle and went past.
CREATE TABLE dead_letters (
  tenant_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  -- DEAD, or QUEUED to be handled again.
  state text NOT NULL DEFAULT 'DEAD',
  attempts integer NOT NULL,
  error json NOT NULL,
  failed_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  due_at timestamptz NOT NULL DEFAULT '-infinity',
  PRIMARY KEY (tenant_id, name, position),
  FOREIGN KEY (tenant_id, name) REFERENCES subscriptions ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX dead_letters_queued ON dead_letters (tenant_id, name, position) WHERE state = 'QUEUED';

-- Down Migration

DROP TABLE dead_letters, subscription_partitions, subscriptions;
