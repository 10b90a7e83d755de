import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';
import { eraseSubject, eraseTenantValues } from './erase-operations.ts';

type Context = { principal: Principal };

export function erasureResolvers(deps: RunsDeps) {
  return {
    Mutation: {
      eraseSubject: (_: unknown, { subject }: { subject: string }, { principal }: Context) =>
        eraseSubject(deps, principal, subject),
      eraseTenantValues: (_: unknown, { tenant }: { tenant: string }, { principal }: Context) =>
        eraseTenantValues(deps, principal, tenant),
    },
  };
}
