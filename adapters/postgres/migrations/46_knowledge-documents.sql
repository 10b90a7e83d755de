-- Up Migration

-- What the MCP server knowledge-base finds. `simple` besides the stems: names and codes are found as they are written.
CREATE TABLE knowledge_documents (
  tenant_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  title text NOT NULL,
  body text NOT NULL,
  source text,
  tags text[] NOT NULL DEFAULT '{}',
  metadata json NOT NULL DEFAULT '{}',
  revision integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  words tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('simple', title), 'B')
    || setweight(to_tsvector('english', body), 'C') || setweight(to_tsvector('simple', body), 'D')
  ) STORED,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX knowledge_documents_words ON knowledge_documents USING gin (words);

SELECT weft_protect('knowledge_documents');

-- Down Migration

DROP TABLE knowledge_documents;
