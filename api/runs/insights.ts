import { findRuns, type RunHit } from '../../adapters/postgres/projections/find-runs.ts';
import { type AuditEntry, readAuditTrail } from '../../adapters/postgres/projections/read-audit-trail.ts';
import {
  type ModelUsage,
  readModelUsage,
  type UsageDimension,
} from '../../adapters/postgres/projections/read-model-usage.ts';
import { type NodeStats, readNodeStats } from '../../adapters/postgres/projections/read-node-stats.ts';
import {
  readServiceHealth,
  type ServiceHealth,
  type ServiceKind,
} from '../../adapters/postgres/projections/read-service-health.ts';
import type { Json } from '../../domain/json.ts';
import { parseLabels } from '../../domain/runs/flow-control/labels.ts';
import type { RunStatus } from '../../domain/runs/run-status.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid, type Connection, connectionOf, pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';

type Deps = Pick<RunsDeps, 'pool'>;
type Maybe<Value> = Value | null | undefined;
type Between = { from?: Maybe<Date>; to?: Maybe<Date> };

const DAY_MS = 86_400_000;
const LONGEST_QUERY = 1_000;
const MOST_SKIPPED = 10_000;

export type RunSearch = Between & {
  query?: Maybe<string>;
  labels?: Json | undefined;
  status?: Maybe<readonly RunStatus[]>;
  workflow?: Maybe<string>;
  first?: Maybe<number>;
  offset?: Maybe<number>;
};

/** @throws INPUT_INVALID */
export async function searchRuns(
  { pool }: Deps,
  { tenantId }: Principal,
  { query, labels, status, workflow, first, offset, ...between }: RunSearch,
): Promise<{ totalCount: number; hits: RunHit[] }> {
  const text = query ?? '';
  if (text.length > LONGEST_QUERY) throw argumentInvalid('query', `may have ${LONGEST_QUERY} characters`);
  const skipped = offset ?? 0;
  if (skipped < 0 || skipped > MOST_SKIPPED) throw argumentInvalid('offset', `must be 0 to ${MOST_SKIPPED}`);
  return findRuns(pool, {
    tenantId,
    query: storable('query', text),
    labels: labels === null || labels === undefined ? undefined : parseLabels(labels),
    status: status ?? undefined,
    workflowId: workflow === null || workflow === undefined ? undefined : storable('workflow', workflow),
    ...rangeOf(between),
    first: pageSize(first, 20, 100),
    offset: skipped,
  });
}

/** @throws INPUT_INVALID */
export async function nodeStats(
  { pool }: Deps,
  { tenantId }: Principal,
  { workflow, version, ...between }: Between & { workflow: string; version?: Maybe<number> },
): Promise<NodeStats[]> {
  const workflowId = storable('workflow', workflow);
  return readNodeStats(pool, { tenantId, workflowId, version: version ?? undefined, ...rangeOf(between) });
}

/** @throws INPUT_INVALID */
export async function modelUsage(
  { pool }: Deps,
  { tenantId }: Principal,
  { workflow, by, ...between }: Between & { workflow?: Maybe<string>; by?: Maybe<readonly UsageDimension[]> },
): Promise<ModelUsage[]> {
  const workflowId = workflow === null || workflow === undefined ? undefined : storable('workflow', workflow);
  return readModelUsage(pool, { tenantId, workflowId, by: [...new Set(by ?? [])], ...rangeOf(between) });
}

/** @throws INPUT_INVALID */
export async function serviceHealth(
  { pool }: Deps,
  { tenantId }: Principal,
  { kind, name, ...between }: Between & { kind?: Maybe<ServiceKind>; name?: Maybe<string> },
): Promise<ServiceHealth[]> {
  const { from, to = new Date() } = rangeOf(between);
  return readServiceHealth(pool, {
    ...{ tenantId, kind: kind ?? undefined, to, from: from ?? new Date(to.getTime() - DAY_MS) },
    name: name === null || name === undefined ? undefined : storable('name', name),
  });
}

export type AuditQuery = Between & {
  first?: Maybe<number>;
  after?: Maybe<string>;
  actor?: Maybe<string>;
  action?: Maybe<string>;
  target?: Maybe<string>;
};

/** @throws INPUT_INVALID */
export async function auditTrail(
  { pool }: Deps,
  { tenantId }: Principal,
  { first, after, actor, action, target, ...between }: AuditQuery,
): Promise<Connection<AuditEntry>> {
  const cursor = after ?? undefined;
  if (cursor !== undefined && !/^\d{1,18}$/.test(cursor)) throw argumentInvalid('after', 'is no cursor of this list');
  const given = { actor, action, target };
  const texts = Object.entries(given).flatMap(([name, text]) =>
    text === null || text === undefined ? [] : [[name, storable(name, text)]],
  );
  const page = await readAuditTrail(pool, {
    tenantId,
    first: pageSize(first, 100, 1_000),
    before: cursor === undefined ? undefined : BigInt(cursor),
    ...(Object.fromEntries(texts) as { actor?: string; action?: string; target?: string }),
    ...rangeOf(between),
  });
  return connectionOf(page, ({ position }) => String(position), cursor);
}

function rangeOf({ from, to }: Between): { from?: Date; to?: Date } {
  if (from && to && from > to) throw argumentInvalid('from', 'must not be after to');
  return { ...(from ? { from } : {}), ...(to ? { to } : {}) };
}

/** Postgres text cannot hold NUL. */
function storable(name: string, text: string): string {
  if (text.includes('\0')) throw argumentInvalid(name, 'is not valid');
  return text;
}
