import type { Beginning } from '../../adapters/postgres/run-store.ts';
import { readEarlierRun } from '../../adapters/postgres/rerun-store.ts';
import { listEffects } from '../../adapters/postgres/effect-store.ts';
import { AppError } from '../../domain/errors.ts';
import { runId } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import { isCode } from '../../domain/runs/code-workflow.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import { parseChildRunId } from '../../domain/runs/child-run-id.ts';
import { buildSeed } from '../../domain/runs/rerun/build-seed.ts';
import type { EarlierRun } from '../../domain/runs/rerun/earlier-run.ts';
import { planRerun, type RerunPlan } from '../../domain/runs/rerun/plan-rerun.ts';
import { prepareFork } from '../../domain/runs/rerun/prepare-fork.ts';
import type { PublishedDefinition, Rerun, RunRecord } from '../../domain/runs/run-record.ts';
import type { EffectRecord } from '../../domain/tools/effect.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { type BegunAs, beginRun } from './execute-workflow.ts';
import { parseMapping } from './fleet-check.ts';
import { readRunOf, readWorkflow } from './read-runs.ts';
import { parsePatches, rerunRefused } from './rerun-request.ts';
import { startOptions, type StartRequest } from './start-options.ts';

type Common = StartRequest & {
  runId: string;
  version?: number | null | undefined;
  patches?: Json | undefined;
  idempotencyKey?: string | null | undefined;
};
export type RerunFrom = Common & {
  /** Nodes (`id`), or executions of them (`id#3`), that run again with all that follows; default is whatever has changed. */
  nodeIds?: readonly string[] | null | undefined;
};
export type ForkAt = Common & { eventId: number; mapping?: Json | undefined };

/** A new run as it would be. */
export type Planned = {
  of: RunRecord;
  published: PublishedDefinition;
  input: Json;
  beginning: Beginning;
  rerun: Rerun;
  plan: RerunPlan;
  /** Calls that the earlier run has made, or may have made, and that nodes which are not reused would make again. */
  repeats: EffectRecord[];
};

const MOST_EFFECTS = 1_000;

/**
 * What a rerun would take over and what it would run. Changes nothing.
 * @throws NOT_FOUND, RERUN_REFUSED, INPUT_INVALID
 */
export async function planRerunOf(deps: RunsDeps, principal: Principal, request: RerunFrom): Promise<Planned> {
  const nodeIds = request.nodeIds ? [...request.nodeIds] : null;
  if (nodeIds?.length === 0)
    throw argumentInvalid('nodeIds', 'must name a node; leave it out for whatever has changed');
  const patches = parsePatches(request.patches);
  const of = await sourceOf(deps, principal, request.runId);
  const version = request.version ?? (nodeIds === null ? undefined : of.version);
  const published = await targetOf(deps, principal, of, version);
  const earlier = await readEarlierRun(deps.pool, of);
  if (earlier.state.slice) throw rerunRefused(of.id, 'it does some items of a map; take the run that started it');
  const input = patches.input ?? of.input;
  const to = compileDefinition(published.definition);
  const seed = buildSeed(earlier, to, { named: nodeIds, patches });
  const rerun: Rerun = { of: of.id, kind: 'RERUN', eventId: null, nodeIds, patches };
  return planned(deps, earlier, { of, published, input, beginning: { seed }, rerun });
}

/**
 * What a fork would go on with. Changes nothing.
 * @throws NOT_FOUND, RERUN_REFUSED, MIGRATION_REFUSED, INPUT_INVALID
 */
export async function planForkOf(deps: RunsDeps, principal: Principal, request: ForkAt): Promise<Planned> {
  const { eventId } = request;
  if (eventId < 1) throw argumentInvalid('eventId', 'must be 1 or more');
  const patches = parsePatches(request.patches);
  const mapping = parseMapping(request.mapping);
  const of = await sourceOf(deps, principal, request.runId);
  const earlier = await readEarlierRun(deps.pool, of, eventId);
  if (earlier.sequence < eventId) throw rerunRefused(of.id, `it has ${earlier.sequence} events`);
  const own = { ...of, version: earlier.version };
  const published = await targetOf(deps, principal, own, request.version ?? earlier.version);
  const same = published.hash === earlier.definitionHash;
  const to = same ? earlier.compiled : compileDefinition(published.definition);
  const { version } = published;
  const forked = prepareFork(earlier, { to, version, mapping, patches, at: earlier.state.now });
  const rerun: Rerun = { of: of.id, kind: 'FORK', eventId, nodeIds: null, patches };
  return planned(deps, earlier, { of, published, input: forked.input, beginning: { forked }, rerun });
}

/** A new run that takes over results. @throws as planRerunOf, and as executeWorkflow */
export async function rerunFrom(deps: RunsDeps, principal: Principal, request: RerunFrom): Promise<RunRecord> {
  return begin(deps, principal, request, () => planRerunOf(deps, principal, request));
}

/** A new run that goes on from the state of another. @throws as planForkOf, and as executeWorkflow */
export async function forkAt(deps: RunsDeps, principal: Principal, request: ForkAt): Promise<RunRecord> {
  return begin(deps, principal, request, () => planForkOf(deps, principal, request));
}

async function begin(
  deps: RunsDeps,
  principal: Principal,
  request: Common,
  plan: () => Promise<Planned>,
): Promise<RunRecord> {
  const options = startOptions(request);
  const { of, published, input, beginning, rerun } = await plan();
  const labels = Object.keys(options.labels).length > 0 ? options.labels : of.labels;
  const priority = options.priority ?? of.priority;
  const begun: BegunAs = { rerun, seed: beginning };
  const run = await beginRun(deps, principal, {
    request: { ...request, workflowId: published.workflowId, version: published.version, input },
    published,
    options: { ...options, labels, priority },
    begun,
  });
  deps.log.info({ runId: run.id, of: of.id, kind: rerun.kind, version: published.version }, 'run taken up again');
  return run;
}

async function sourceOf(deps: RunsDeps, principal: Principal, id: string): Promise<RunRecord> {
  const run = await readRunOf(deps, principal, id);
  if (!run) throw new AppError('NOT_FOUND', { what: 'Run', id });
  if (run.parent !== null && parseChildRunId(run.id)?.chunk != null) {
    throw rerunRefused(run.id, `it does some items of a map; take run ${run.parent.runId}`);
  }
  return run;
}

async function targetOf(
  deps: RunsDeps,
  principal: Principal,
  { id, workflowId }: RunRecord,
  version: number | undefined,
): Promise<PublishedDefinition> {
  const published = await readWorkflow(deps, principal, workflowId, version);
  if (!published) throw new AppError('NOT_FOUND', { what: 'Workflow', id: `${workflowId} version ${version ?? ''}` });
  if (isCode(published.definition)) throw rerunRefused(id, 'it runs code written by hand, whose nodes are not known');
  return published;
}

async function planned(
  { pool }: Pick<RunsDeps, 'pool'>,
  earlier: EarlierRun,
  next: Omit<Planned, 'plan' | 'repeats'>,
): Promise<Planned> {
  const { of, published, input, beginning } = next;
  const plan = planRerun(earlier, compileDefinition(published.definition), { input, ...beginning });
  const again = new Set(
    plan.executions.flatMap(({ action, nodeId, iteration }) => (action === 'REUSED' ? [] : [`${nodeId}#${iteration}`])),
  );
  const runs = [...new Set([of.id, ...earlier.executions.map((execution) => execution.runId)])];
  const listings = runs.map((id) =>
    listEffects(pool, {
      tenantId: of.tenantId,
      runId: runId(id),
      first: MOST_EFFECTS,
      states: ['RECEIPT', 'STARTED', 'UNKNOWN'],
    }),
  );
  const effects = (await Promise.all(listings)).flat();
  return { ...next, plan, repeats: effects.filter(({ nodeId, iteration }) => again.has(`${nodeId}#${iteration}`)) };
}
