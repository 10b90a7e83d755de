-- Up Migration

-- MCP servers as tenants registered them. `secrets` is sealed: header values, or environment of a process.
CREATE TABLE mcp_servers (
  tenant_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  transport text NOT NULL CHECK (transport IN ('stdio', 'http', 'sse', 'websocket')),
  command text,
  args json NOT NULL DEFAULT '[]',
  endpoints json NOT NULL DEFAULT '[]',
  balancing text NOT NULL,
  secret_names json NOT NULL DEFAULT '[]',
  secrets text,
  allowed_tools json,
  idempotent_tools json NOT NULL DEFAULT '[]',
  timeout_ms integer NOT NULL,
  max_result_bytes integer NOT NULL,
  pool_size integer NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  revision integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, id)
);

-- What a tool said of itself when somebody approved it.
CREATE TABLE mcp_tool_pins (
  tenant_id text COLLATE "C" NOT NULL,
  server_id text COLLATE "C" NOT NULL,
  tool text COLLATE "C" NOT NULL,
  hash text NOT NULL,
  pinned_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, server_id, tool),
  FOREIGN KEY (tenant_id, server_id) REFERENCES mcp_servers ON DELETE CASCADE
);

SELECT weft_protect('mcp_servers'), weft_protect('mcp_tool_pins');

-- Down Migration

DROP TABLE mcp_tool_pins, mcp_servers;
