-- Up Migration

-- What subgraphs have published, by the hash of its content.
CREATE TABLE subgraph_schemas (
  subgraph text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL,
  sdl text NOT NULL,
  first_published_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (subgraph, hash)
);

-- What gateways serve: the highest version. Rolling back adds one with the content of an earlier one. `subgraphs` is
-- [{name, hash, url}], `changes` what it changed for callers.
CREATE TABLE supergraph_versions (
  version integer PRIMARY KEY,
  hash text COLLATE "C" NOT NULL,
  supergraph_sdl text NOT NULL,
  subgraphs json NOT NULL,
  subgraph text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('seed', 'publish', 'rollback')),
  rolled_back_to integer REFERENCES supergraph_versions,
  changes json NOT NULL DEFAULT '[]',
  forced boolean NOT NULL DEFAULT false,
  note text,
  published_by text,
  published_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now())
);

-- Processes that serve a subgraph, as they say themselves; `proof` is what only one of ours could have signed.
CREATE TABLE subgraph_instances (
  subgraph text COLLATE "C" NOT NULL,
  instance text COLLATE "C" NOT NULL,
  url text,
  host text NOT NULL,
  sdl_hash text NOT NULL,
  health text NOT NULL CHECK (health IN ('healthy', 'unhealthy', 'draining')),
  proof text,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (subgraph, instance)
);

SELECT weft_protect_system('subgraph_schemas'), weft_protect_system('supergraph_versions'),
       weft_protect_system('subgraph_instances');

-- Down Migration

DROP TABLE subgraph_instances, supergraph_versions, subgraph_schemas;
