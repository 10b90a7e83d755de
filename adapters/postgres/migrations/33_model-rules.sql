-- Up Migration

-- Prices that count in place of the list's, in micro-USD for a million tokens. `model` may end with `*`.
CREATE TABLE model_prices (
  provider text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  input bigint NOT NULL CHECK (input >= 0),
  output bigint NOT NULL CHECK (output >= 0),
  cache_read bigint CHECK (cache_read >= 0),
  cache_write bigint CHECK (cache_write >= 0),
  updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (provider, model)
);
SELECT weft_protect_system('model_prices');

-- What a provider takes in any 60 seconds, of all workers together; `model` empty: of all its models.
CREATE TABLE provider_quotas (
  provider text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  requests_per_minute integer CHECK (requests_per_minute > 0),
  tokens_per_minute bigint CHECK (tokens_per_minute > 0),
  updated_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now()),
  PRIMARY KEY (provider, model)
);
SELECT weft_protect_system('provider_quotas');

-- Calls of the last minute, by second and tenant. A preview of what providers count themselves: it may be lost in a crash.
CREATE UNLOGGED TABLE quota_uses (
  provider text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  second timestamptz NOT NULL,
  tenant_id text COLLATE "C" NOT NULL,
  requests integer NOT NULL,
  tokens bigint NOT NULL,
  PRIMARY KEY (provider, model, second, tenant_id)
);
SELECT weft_protect('quota_uses');

-- Tenants with calls that wait for their turn.
CREATE UNLOGGED TABLE quota_waits (
  provider text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  tenant_id text COLLATE "C" NOT NULL,
  until timestamptz NOT NULL,
  PRIMARY KEY (provider, model, tenant_id)
);
SELECT weft_protect('quota_waits');

-- Takes a call's part of a quota, or says after how many ms there may be room; null where there is no quota. While others wait, a
-- tenant has no more than its share. A call larger than the whole quota has its turn when nobody else is there.
CREATE FUNCTION weft_take_quota(of_provider text, of_model text, of_tenant text, of_tokens bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  quota provider_quotas;
  at timestamptz;
  used record;
  others integer;
  requests_limit bigint;
  tokens_limit bigint;
  room timestamptz;
  longest interval := '0';
  found_any boolean := false;
BEGIN
  FOR quota IN
    SELECT * FROM provider_quotas WHERE provider = of_provider AND model IN (of_model, '') ORDER BY model FOR UPDATE
  LOOP
    found_any := true;
    at := clock_timestamp();
    DELETE FROM quota_uses WHERE provider = quota.provider AND model = quota.model AND second < at - interval '62 s';
    DELETE FROM quota_waits WHERE provider = quota.provider AND model = quota.model AND until < at;
    SELECT count(*) INTO others FROM quota_waits
    WHERE provider = quota.provider AND model = quota.model AND tenant_id <> of_tenant;
    FOR used IN
      SELECT true AS own, coalesce(sum(requests), 0) AS requests, coalesce(sum(tokens), 0) AS tokens FROM quota_uses
      WHERE provider = quota.provider AND model = quota.model AND second > at - interval '61 s' AND tenant_id = of_tenant
      UNION ALL
      SELECT false, coalesce(sum(requests), 0), coalesce(sum(tokens), 0) FROM quota_uses
      WHERE provider = quota.provider AND model = quota.model AND second > at - interval '61 s'
    LOOP
      CONTINUE WHEN used.own AND others = 0;
      requests_limit := CASE WHEN used.own THEN greatest(1, quota.requests_per_minute / (others + 1)) ELSE quota.requests_per_minute END;
      tokens_limit := CASE WHEN used.own THEN greatest(1, quota.tokens_per_minute / (others + 1)) ELSE quota.tokens_per_minute END;
      CONTINUE WHEN coalesce(used.requests + 1 <= requests_limit, true)
                AND coalesce(used.tokens = 0 OR used.tokens + of_tokens <= tokens_limit, true);
      SELECT min(second) INTO room FROM (
        SELECT second, sum(requests) OVER past AS requests, sum(tokens) OVER past AS tokens FROM quota_uses
        WHERE provider = quota.provider AND model = quota.model AND second > at - interval '61 s'
          AND (NOT used.own OR tenant_id = of_tenant)
        WINDOW past AS (ORDER BY second)
      ) gone
      WHERE coalesce(used.requests - gone.requests + 1 <= requests_limit, true)
        AND coalesce(used.tokens - gone.tokens = 0 OR used.tokens - gone.tokens + of_tokens <= tokens_limit, true);
      longest := greatest(longest, coalesce(room, at) + interval '61 s' - at);
    END LOOP;
    IF longest > '0' THEN
      INSERT INTO quota_waits VALUES (quota.provider, quota.model, of_tenant, at + longest + interval '5 s')
      ON CONFLICT (provider, model, tenant_id) DO UPDATE SET until = excluded.until;
    END IF;
  END LOOP;
  IF NOT found_any THEN RETURN NULL; END IF;
  IF longest > '0' THEN RETURN ceil(extract(epoch FROM longest) * 1000); END IF;
  INSERT INTO quota_uses
  SELECT provider, model, date_trunc('second', clock_timestamp()), of_tenant, 1, of_tokens FROM provider_quotas
  WHERE provider = of_provider AND model IN (of_model, '')
  ON CONFLICT (provider, model, second, tenant_id)
  DO UPDATE SET requests = quota_uses.requests + 1, tokens = quota_uses.tokens + excluded.tokens;
  DELETE FROM quota_waits WHERE provider = of_provider AND model IN (of_model, '') AND tenant_id = of_tenant;
  RETURN 0;
END $$;

-- Down Migration

DROP FUNCTION weft_take_quota;
DROP TABLE quota_waits, quota_uses, provider_quotas, model_prices;
