import type { AuditEntry } from '../../adapters/postgres/projections/read-audit-trail.ts';
import type { RunsDeps } from './deps.ts';
import { auditTrail, modelUsage, nodeStats, searchRuns, serviceHealth } from './insights.ts';
import type { AuditQuery, RunSearch } from './insights.ts';
import type { RunsContext } from './resolvers.ts';

export function insightsResolvers(deps: Pick<RunsDeps, 'pool'>) {
  return {
    Query: {
      searchRuns: (_: unknown, search: RunSearch, { principal }: RunsContext) => searchRuns(deps, principal, search),
      nodeStats: (_: unknown, of: Parameters<typeof nodeStats>[2], { principal }: RunsContext) =>
        nodeStats(deps, principal, of),
      modelUsage: (_: unknown, of: Parameters<typeof modelUsage>[2], { principal }: RunsContext) =>
        modelUsage(deps, principal, of),
      serviceHealth: (_: unknown, of: Parameters<typeof serviceHealth>[2], { principal }: RunsContext) =>
        serviceHealth(deps, principal, of),
      auditTrail: (_: unknown, query: AuditQuery, { principal }: RunsContext) => auditTrail(deps, principal, query),
    },
    AuditEntry: { position: ({ position }: AuditEntry) => Number(position) },
  };
}
