-- Up Migration

-- What is made of the events for readers. How far each has come stands with its subscription, `projection/<name>/<generation>`.
CREATE TABLE projections (
  name text COLLATE "C" PRIMARY KEY,
  -- Of the code that made what readers see; 0 until it was built for the first time.
  version integer NOT NULL DEFAULT 0,
  generation integer NOT NULL DEFAULT 0,
  -- The one that is being built beside it.
  building integer,
  building_version integer,
  building_since timestamptz,
  -- Of a build that does not follow by a subscription.
  done bigint,
  total bigint,
  stopped boolean NOT NULL DEFAULT false,
  error json,
  failed_at timestamptz,
  built_at timestamptz,
  -- When a process last looked after it.
  followed_at timestamptz
) WITH (fillfactor = 50);

-- Down Migration

DROP TABLE projections;
