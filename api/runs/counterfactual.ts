import { randomUUIDv7 } from 'node:crypto';
import { insertBatch } from '../../adapters/postgres/batch-store.ts';
import { chooseRuns } from '../../adapters/postgres/counterfactual-store.ts';
import type { Transaction } from '../../adapters/postgres/record-events.ts';
import { readEarlierRun } from '../../adapters/postgres/rerun-store.ts';
import { AppError } from '../../domain/errors.ts';
import { workflowId as asWorkflowId } from '../../domain/identifiers.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { BatchRecord, WhatIf } from '../../domain/runs/batches/batch.ts';
import { isCode } from '../../domain/runs/code-workflow.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { PRIORITY } from '../../domain/runs/flow-control/flow-policies.ts';
import { parseLabels } from '../../domain/runs/flow-control/labels.ts';
import { LIMITS } from '../../domain/runs/limits.ts';
import { rehearsalOf, rehearsalSeed } from '../../domain/runs/rerun/rehearsal-seed.ts';
import { setInDefinition } from '../../domain/runs/rerun/set-in-definition.ts';
import type { PublishedDefinition, Rerun, RunRecord } from '../../domain/runs/run-record.ts';
import { RUN_STATUSES, type RunStatus } from '../../domain/runs/run-status.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { beginRun } from './execute-workflow.ts';
import { publishWorkflow } from './publish-workflow.ts';
import { readRunOf, readWorkflow } from './read-runs.ts';
import { batchStarted, changed } from './recorded-changes.ts';
import { rerunRefused } from './rerun-request.ts';
import { startOptions } from './start-options.ts';

export type Counterfactual = {
  /** These, or what the rest chooses. */
  runIds?: readonly string[] | null | undefined;
  workflowId?: string | null | undefined;
  status?: readonly RunStatus[] | null | undefined;
  labels?: Json | undefined;
  createdAfter?: Date | null | undefined;
  createdBefore?: Date | null | undefined;
  last?: number | null | undefined;
  /** Of the workflow; default is that of the newest run. */
  version?: number | null | undefined;
  /** Other values by place, such as `classify.config.prompt`. */
  set?: Json | undefined;
  /** Nodes that may run although they are no models. */
  run?: readonly string[] | null | undefined;
  /** Nodes that run although they are asked the same. */
  again?: readonly string[] | null | undefined;
};

const DEFAULT_LAST = 20;
const SUFFIX = '-what-if';

/**
 * Runs that have been, again with something different, in the background. What nodes did to the outside is not done again.
 * @throws NOT_FOUND, INPUT_INVALID, RERUN_REFUSED, DEFINITION_INVALID
 */
export async function counterfactual(
  deps: RunsDeps,
  principal: Principal,
  request: Counterfactual,
): Promise<BatchRecord> {
  const set = request.set ?? {};
  if (!isJsonObject(set)) throw argumentInvalid('set', 'must be an object of values by place');
  const { ids, newest } = await chosen(deps, principal, request);
  const base = await readWorkflow(deps, principal, newest.workflowId, request.version ?? newest.version);
  if (!base)
    throw new AppError('NOT_FOUND', { what: 'Workflow', id: `${newest.workflowId} version ${request.version}` });
  if (isCode(base.definition)) throw rerunRefused(newest.id, 'it runs code written by hand, whose nodes are not known');
  const definition = ofItsOwn(setInDefinition(base.definition, set), base);
  const published = await publishWorkflow(deps, principal, definition);
  const [run, again] = [request.run ?? [], request.again ?? []];
  const compiled = compileDefinition(published.definition);
  const unknown = [...run, ...again].find((id) => !compiled.indexOf.has(id));
  if (unknown !== undefined) throw argumentInvalid('run', `names ${unknown}, which is no node of this version`);
  const whatIf: WhatIf = {
    workflowId: published.workflowId,
    version: published.version,
    rehearsal: rehearsalOf(compiled, run, again),
    changes: { version: base.version, set },
  };
  return startBatchOf(deps, principal, newest, ids, whatIf);
}

async function startBatchOf(
  deps: RunsDeps,
  principal: Principal,
  { workflowId }: RunRecord,
  runIds: readonly string[],
  whatIf: WhatIf,
): Promise<BatchRecord> {
  const wanted = {
    id: `batch-${randomUUIDv7()}`,
    tenantId: principal.tenantId,
    operation: 'COUNTERFACTUAL' as const,
    filter: { status: RUN_STATUSES, workflowId, labels: {}, createdAfter: null, createdBefore: null, runIds },
    migration: null,
    whatIf,
    reason: null,
    dryRun: false,
    createdBy: principal.subject,
  };
  const insert = (client: Transaction) => insertBatch(client, wanted);
  const batch = await changed(deps, principal, insert, (made) => batchStarted(made, principal.subject));
  deps.log.info({ batchId: batch.id, total: batch.total, workflowId }, 'counterfactual runs wanted');
  deps.wakeBatches();
  return batch;
}

/** @throws NOT_FOUND, INPUT_INVALID */
async function chosen(
  deps: RunsDeps,
  principal: Principal,
  request: Counterfactual,
): Promise<{ ids: string[]; newest: RunRecord }> {
  const ids = request.runIds ? [...new Set(request.runIds)] : await chosenByFilter(deps, principal, request);
  if (ids.length > LIMITS.fleetRuns) throw argumentInvalid('runIds', `must be at most ${LIMITS.fleetRuns}`);
  const runs = await Promise.all(ids.map((id) => readRunOf(deps, principal, id)));
  const missing = runs.findIndex((run) => run === undefined);
  if (missing >= 0) throw new AppError('NOT_FOUND', { what: 'Run', id: ids[missing] });
  const found = (runs as RunRecord[]).toSorted((one, other) => other.createdAt.getTime() - one.createdAt.getTime());
  const [newest] = found;
  if (newest === undefined) throw argumentInvalid('workflowId', 'has no such runs');
  const other = found.find(({ workflowId }) => workflowId !== newest.workflowId);
  if (other) throw argumentInvalid('runIds', `are of ${newest.workflowId} and of ${other.workflowId}`);
  const child = found.find(({ parent }) => parent !== null);
  if (child) throw rerunRefused(child.id, 'a node of another run has started it; take that one');
  return { ids, newest };
}

function chosenByFilter(deps: RunsDeps, { tenantId }: Principal, request: Counterfactual): Promise<string[]> {
  const { workflowId, status, labels, createdAfter = null, createdBefore = null } = request;
  const last = request.last ?? DEFAULT_LAST;
  if (!workflowId || workflowId.includes('\0'))
    throw argumentInvalid('workflowId', 'is needed where no runs are named');
  if (last < 1 || last > LIMITS.fleetRuns) throw argumentInvalid('last', `must be 1 to ${LIMITS.fleetRuns}`);
  return chooseRuns(deps.pool, {
    tenantId,
    workflowId: asWorkflowId(workflowId),
    status: status ?? ['COMPLETED', 'FAILED'],
    labels: parseLabels(labels),
    createdAfter,
    createdBefore,
    last,
  });
}

/** Kept under a name of its own, so that it is the latest of nothing, and without policies that would let runs wait for each other. */
function ofItsOwn(definition: WorkflowDefinition, base: PublishedDefinition): WorkflowDefinition {
  const { runTimeoutMs, onNodeFailure, continueAsNewAfterEvents } = definition.policies ?? {};
  const policies = {
    ...(runTimeoutMs === undefined ? {} : { runTimeoutMs }),
    ...(onNodeFailure === undefined || onNodeFailure === 'pause' ? {} : { onNodeFailure }),
    ...(continueAsNewAfterEvents === undefined ? {} : { continueAsNewAfterEvents }),
  };
  const { policies: _, ...rest } = definition;
  return {
    ...rest,
    name: `${base.workflowId}${SUFFIX}`,
    description: `What if: ${base.workflowId} version ${base.version} with something different`,
    ...(Object.keys(policies).length > 0 ? { policies } : {}),
  };
}

/** Makes the counterfactual run of one run; the same for each attempt. @throws NOT_FOUND, RERUN_REFUSED */
export async function runCounterfactual(
  deps: RunsDeps,
  principal: Principal,
  id: string,
  batch: Pick<BatchRecord, 'id' | 'whatIf'>,
): Promise<RunRecord> {
  const { whatIf } = batch;
  const of = await readRunOf(deps, principal, id);
  if (!of || !whatIf) throw new AppError('NOT_FOUND', { what: 'Run', id });
  const published = await readWorkflow(deps, principal, whatIf.workflowId, whatIf.version);
  if (!published) throw new AppError('NOT_FOUND', { what: 'Workflow', id: whatIf.workflowId });
  const seed = rehearsalSeed(await readEarlierRun(deps.pool, of), whatIf.rehearsal);
  const patches: JsonObject = whatIf.changes;
  const rerun: Rerun = { of: of.id, kind: 'COUNTERFACTUAL', eventId: null, nodeIds: null, patches, batchId: batch.id };
  return beginRun(deps, principal, {
    request: {
      workflowId: published.workflowId,
      version: published.version,
      input: of.input,
      idempotencyKey: `${batch.id}/${of.id}`,
    },
    published,
    options: startOptions({ priority: PRIORITY.last }),
    begun: { rerun, seed: { seed } },
  });
}
