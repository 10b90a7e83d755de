-- Up Migration

CREATE TABLE tenants (
  tenant_id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  -- ACTIVE, SUSPENDED, or ERASED: kept so that the id is never given again.
  state text NOT NULL DEFAULT 'ACTIVE',
  state_reason text,
  -- Null: unlimited.
  runs_a_day integer,
  concurrent_runs integer,
  storage_bytes bigint,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  changed_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now())
);
INSERT INTO tenants (tenant_id, name) VALUES ('default', 'Default');
SELECT weft_protect('tenants');

-- People and service accounts.
CREATE TABLE users (
  tenant_id text COLLATE "C" NOT NULL REFERENCES tenants,
  id text COLLATE "C" NOT NULL,
  -- USER or SERVICE; the latter has keys alone.
  kind text NOT NULL,
  -- Lower case.
  name text COLLATE "C" NOT NULL,
  email text,
  roles text[] NOT NULL,
  -- Argon2id, with its parameters; null where it signs in elsewhere.
  password_hash text,
  must_change_password boolean NOT NULL DEFAULT false,
  -- Of OpenID Connect.
  issuer text,
  issuer_subject text,
  disabled boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  signed_in_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX users_name ON users (tenant_id, name);
CREATE UNIQUE INDEX users_issuer ON users (tenant_id, issuer, issuer_subject);
SELECT weft_protect('users');

CREATE TABLE api_keys (
  tenant_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL UNIQUE,
  user_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  -- SHA-256 of a random secret of 256 bits.
  secret_hash bytea NOT NULL,
  -- Null: whatever the roles of its user allow.
  scopes text[],
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  used_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX api_keys_user ON api_keys (tenant_id, user_id, created_at);
SELECT weft_protect('api_keys');

-- One sign-in: the refresh tokens that follow from each other.
CREATE TABLE sessions (
  tenant_id text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  -- Of the token that may be used next, and of those that were used.
  token_hash bytea NOT NULL,
  used_hashes bytea[] NOT NULL DEFAULT '{}',
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revoked_because text,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id);
SELECT weft_protect('sessions');

-- What access tokens are signed with. The newest one that every process has had time to read signs.
CREATE TABLE signing_keys (
  id text COLLATE "C" PRIMARY KEY,
  public_jwk jsonb NOT NULL,
  -- Sealed by WEFT_SECRET_KEY.
  private_jwk text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  -- From then on what it signed is refused.
  expires_at timestamptz NOT NULL
);
SELECT weft_protect_system('signing_keys');

-- Sign-ins at an OpenID provider that are under way.
CREATE TABLE oidc_sign_ins (
  state_hash bytea PRIMARY KEY,
  tenant_id text COLLATE "C" NOT NULL REFERENCES tenants,
  -- Sealed: verifier and nonce.
  secret text NOT NULL,
  return_to text,
  expires_at timestamptz NOT NULL
);
SELECT weft_protect('oidc_sign_ins');

-- Down Migration

DROP TABLE oidc_sign_ins, signing_keys, sessions, api_keys, users, tenants;
