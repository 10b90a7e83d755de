-- Up Migration

-- Versions of prompts; one that was published never changes.
CREATE TABLE prompts (
  tenant_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  -- SHA-256 of the texts and variables.
  hash text NOT NULL,
  template text NOT NULL,
  system text,
  variables json NOT NULL,
  description text,
  created_by text,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, name, version),
  UNIQUE (tenant_id, name, hash)
);
SELECT weft_protect('prompts');

-- Down Migration

DROP TABLE prompts;
