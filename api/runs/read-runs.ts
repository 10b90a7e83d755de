import { listDefinitions, readDefinition } from '../../adapters/postgres/definition-store.ts';
import { readRunEvents, type RunStoredEvent } from '../../adapters/postgres/event-store.ts';
import { isRunCursor, listRuns, readRun, runCursor } from '../../adapters/postgres/run-store.ts';
import { type RunId, runId, workflowId } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import { parseLabels } from '../../domain/runs/flow-control/labels.ts';
import type { PublishedDefinition, RunRecord } from '../../domain/runs/run-record.ts';
import type { RunStatus } from '../../domain/runs/run-status.ts';
import type { TriggerKind } from '../../domain/runs/triggers/run-trigger.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid, connectionOf, pageSize, type Connection } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';

type Reading = Pick<RunsDeps, 'pool'>;
export type PageArguments = { first?: number | null | undefined; after?: string | null | undefined };
export type RunsFilter = PageArguments & {
  status?: readonly RunStatus[] | null | undefined;
  workflowId?: string | null | undefined;
  trigger?: { kind?: TriggerKind | null; id?: string | null } | null | undefined;
  labels?: Json | undefined;
  /** Runs started by nodes of this one. */
  parentRunId?: RunId | undefined;
  /** Runs that have taken over results of this one. */
  rerunOf?: RunId | undefined;
};

/** Postgres text cannot hold NUL, so nothing stored has such an id. */
const storable = (text: string) => !text.includes('\0');

export async function readRunOf(deps: Reading, principal: Principal, id: string): Promise<RunRecord | undefined> {
  return storable(id) ? readRun(deps.pool, principal.tenantId, runId(id)) : undefined;
}

/** Newest first. @throws INPUT_INVALID */
export async function listRunsOf(
  deps: Reading,
  principal: Principal,
  filter: RunsFilter,
): Promise<Connection<RunRecord>> {
  const after = filter.after ?? undefined;
  const first = pageSize(filter.first, 20, 100);
  if (after !== undefined && !isRunCursor(after)) throw argumentInvalid('after', 'is no cursor of this list');
  const workflow = filter.workflowId ?? undefined;
  if (workflow !== undefined && !storable(workflow)) throw argumentInvalid('workflowId', 'is not valid');
  if (!storable(filter.trigger?.id ?? '')) throw argumentInvalid('trigger', 'is not valid');
  const page = await listRuns(deps.pool, {
    tenantId: principal.tenantId,
    first,
    after,
    // Child runs belong to their parents; asked for by workflow they stand for themselves.
    rerunOf: filter.rerunOf,
    parentRunId: filter.parentRunId ?? (workflow === undefined ? null : undefined),
    status: filter.status ?? undefined,
    workflowId: workflow,
    labels: filter.labels === null || filter.labels === undefined ? undefined : parseLabels(filter.labels),
    trigger: filter.trigger && { kind: filter.trigger.kind ?? undefined, id: filter.trigger.id ?? undefined },
  });
  return connectionOf(page, runCursor, after);
}

/** The given version, or the latest. */
export async function readWorkflow(
  deps: Reading,
  principal: Principal,
  id: string,
  version?: number,
): Promise<PublishedDefinition | undefined> {
  return storable(id) ? readDefinition(deps.pool, principal.tenantId, workflowId(id), version) : undefined;
}

/** The latest version of each, by name. @throws INPUT_INVALID */
export async function listWorkflows(
  deps: Reading,
  principal: Principal,
  filter: PageArguments & { name?: string | null | undefined },
): Promise<Connection<PublishedDefinition>> {
  const after = filter.after ?? undefined;
  const first = pageSize(filter.first, 20, 100);
  const place = after === undefined ? undefined : Buffer.from(after, 'base64url').toString();
  if (place !== undefined && (workflowCursor(place) !== after || !storable(place))) {
    throw argumentInvalid('after', 'is no cursor of this list');
  }
  const name = filter.name ?? undefined;
  if (name !== undefined && !storable(name)) throw argumentInvalid('name', 'is not valid');
  const page = await listDefinitions(deps.pool, { tenantId: principal.tenantId, first, after: place, name });
  return connectionOf(page, (row) => workflowCursor(row.workflowId), after);
}

const workflowCursor = (name: string) => Buffer.from(name).toString('base64url');

/** @throws INPUT_INVALID */
export async function listRunEvents(
  deps: Reading,
  id: string,
  { after, first }: { after?: number | null | undefined; first?: number | null | undefined },
): Promise<RunStoredEvent[]> {
  return readRunEvents(deps.pool, id, { after: after ?? 0, first: pageSize(first, 100, 1000) });
}
