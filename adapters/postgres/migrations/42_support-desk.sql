-- Up Migration

-- What the MCP server customer-support works on.
CREATE TABLE support_tickets (
  tenant_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  customer_id text NOT NULL,
  message text NOT NULL,
  priority text NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'escalated', 'closed')),
  department text,
  agent_id text,
  team text,
  resolution text,
  satisfaction integer,
  follow_up boolean,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE support_invoices (
  tenant_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  customer_id text NOT NULL,
  amount numeric(14, 2) NOT NULL CHECK (amount >= 0),
  paid numeric(14, 2) NOT NULL DEFAULT 0 CHECK (paid >= 0 AND paid <= amount),
  disputed boolean NOT NULL DEFAULT false,
  updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, id)
);

-- What was done, each once: a call with the key of an earlier one is answered with what that one gave.
CREATE TABLE support_actions (
  tenant_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  subject_id text COLLATE "C" NOT NULL,
  key text COLLATE "C",
  asked json NOT NULL,
  result json,
  at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, key)
);
CREATE INDEX support_actions_subject ON support_actions (tenant_id, subject_id, at);

SELECT weft_protect('support_tickets'), weft_protect('support_invoices'), weft_protect('support_actions');

-- Down Migration

DROP TABLE support_actions, support_invoices, support_tickets;
