import type { Logger } from 'pino';
import type { Pool } from 'undici';
import type { Identity, InternalTokens } from '../adapters/tokens/internal-token.ts';
import { type Caller, ruleText } from './access-policies.ts';
import { askedHash, type CacheScopes } from './cache/entity-cache.ts';

/** Carries who asks to a subgraph. */
export const IDENTITY_HEADER = 'x-weft-identity';
const REFUSED_PATH = '/internal/refused';
const ROOT_TYPE = /^(?:Query|Mutation|Subscription)\./;
const TELL_MS = 5_000;

export type CallersParts = { pool: Pool; tokens: InternalTokens; log: Logger };

/** Makes callers of identities. What is refused to them goes to the API, which has the audit. */
export function createCallers({ pool, tokens, log }: CallersParts): (identity: Identity) => Caller {
  async function tell(identity: Identity, operation: string, permission: string): Promise<void> {
    try {
      const { body } = await pool.request({
        path: REFUSED_PATH,
        method: 'POST',
        headers: { 'content-type': 'application/json', [IDENTITY_HEADER]: await tokens.sign(identity, 'access') },
        body: JSON.stringify({ operation, permission }),
        signal: AbortSignal.timeout(TELL_MS),
      });
      await body.dump();
    } catch (error) {
      log.warn({ err: error }, 'the API could not be told of a refusal');
    }
  }
  return (identity) => {
    const { kind, permissions, roles } = identity;
    return {
      kind,
      permissions: new Set<string>(permissions),
      roles: new Set(roles),
      scopes: cacheScopes(identity),
      refused(field, rules) {
        if (kind !== 'NOBODY') void tell(identity, field.replace(ROOT_TYPE, ''), rules.map(ruleText).join('; '));
      },
    };
  };
}

/** Sorted, so that the order of what somebody holds makes no difference. */
function cacheScopes({ tenantId, kind, subject, userId, keyId, roles, permissions }: Identity): CacheScopes {
  const shared = askedHash(tenantId, kind, [...roles].sort().join(), [...permissions].sort().join());
  const own = subject === null ? null : askedHash(shared, subject, String(userId), String(keyId));
  return { tenantId, shared, own };
}
