-- Up Migration

-- GraphQL documents that the gateway takes by their hash.
CREATE TABLE operation_documents (
  tenant_id text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
  name text,
  kind text NOT NULL CHECK (kind IN ('query', 'mutation', 'subscription')),
  body text NOT NULL,
  published_by text,
  published_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, hash)
);

SELECT weft_protect('operation_documents');

-- Down Migration

DROP TABLE operation_documents;
