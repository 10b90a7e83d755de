import { recordEvents } from '../../adapters/postgres/record-events.ts';
import { createMemoryRateLimiter, type Rate, type RateLimiter } from '../../adapters/rate-limits/rate-limiter.ts';
import { operationCost } from '../../domain/access/operation-costs.ts';
import type { Rule } from '../../domain/access/operation-permissions.ts';
import { AppError } from '../../domain/errors.ts';
import { accessEvent } from './audit.ts';
import type { AccessDeps } from './deps.ts';
import type { Principal } from './principal.ts';

/** What is asked about before and told about after an operation is refused. */
export type OperationWatch = {
  /** @throws RATE_LIMITED */
  admit(principal: Principal, operation: string): Promise<void>;
  refused(principal: Principal, operation: string, rule: Rule | (string & {})): void;
};

/** So that whoever is refused again and again does not fill the audit. */
const NOTED: Rate = { perMinute: 6, burst: 10 };

/** Counts operations by key, user or address. Whoever runs the servers is not counted. */
export function watchOperations(deps: AccessDeps, limiter: RateLimiter, rate: () => Rate): OperationWatch {
  const noting = createMemoryRateLimiter();
  const note = async (principal: Principal, event: ReturnType<typeof accessEvent>) => {
    const { allowed } = await noting.take(`${event.type} ${callerOf(principal)}`, NOTED);
    if (allowed) await recordEvents(deps.pool, principal.tenantId, [event]);
  };
  const later = (work: Promise<void>) =>
    void work.catch((error: unknown) => deps.log.info({ err: error }, 'not noted'));
  return {
    async admit(principal, operation) {
      if (principal.kind === 'OPERATOR') return;
      const decision = await limiter.take(`operations ${callerOf(principal)}`, rate(), operationCost(operation));
      if (decision.allowed) return;
      later(
        note(principal, accessEvent('access.rate_limited', principal, principal.subject, { detail: { operation } })),
      );
      const { perMinute, burst } = rate();
      const detail = `${perMinute} a minute, ${burst} at once`;
      throw new AppError('RATE_LIMITED', { detail, retryAfterMs: decision.retryAfterMs });
    },
    refused(principal, operation, permission) {
      if (principal.kind === undefined || principal.kind === 'NOBODY') return;
      later(note(principal, accessEvent('access.denied', principal, principal.subject, { operation, permission })));
    },
  };
}

function callerOf({ keyId, userId, tenantId, address }: Principal): string {
  if (keyId) return `key ${keyId}`;
  return userId ? `user ${tenantId}/${userId}` : `address ${address ?? 'unknown'}`;
}
