import { listNodeExecutions, MOST_EXECUTIONS } from '../../adapters/postgres/node-store.ts';
import type { RunStoredEvent } from '../../adapters/postgres/event-store.ts';
import { nodeId } from '../../domain/identifiers.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { isCode } from '../../domain/runs/code-workflow.ts';
import { compileDefinition } from '../../domain/runs/compile.ts';
import type { NodeExecutionRecord, PublishedDefinition, RunRecord } from '../../domain/runs/run-record.ts';
import { initialState } from '../../domain/runs/run-state.ts';
import type { ExecutionChange } from '../../domain/runs/time-travel/diff-run.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid, pageSize } from '../graphql/connection.ts';
import { dateTimeScalar, jsonScalar } from '../graphql/scalars.ts';
import { approve, cancelRun, terminateRun, type Approve } from './answer-run.ts';
import { authoringResolvers } from './authoring-resolvers.ts';
import { batchesResolvers } from './batches-resolvers.ts';
import { codeNodes, workflowKind } from './code-workflows.ts';
import { counterfactualResolvers } from './counterfactual-resolvers.ts';
import type { RunsDeps } from './deps.ts';
import { effectsResolvers } from './effects-resolvers.ts';
import { erasureResolvers } from './erasure-resolvers.ts';
import { eventsResolvers } from './events-resolvers.ts';
import { executeWorkflow, type ExecuteWorkflow } from './execute-workflow.ts';
import { flowResolvers } from './flow-resolvers.ts';
import { insightsResolvers } from './insights-resolvers.ts';
import type { RunLoaders } from './loaders.ts';
import { operateResolvers } from './operate-resolvers.ts';
import { projectionsResolvers } from './projections-resolvers.ts';
import { replayResolvers } from './replay-resolvers.ts';
import { rerunResolvers } from './rerun-resolvers.ts';
import { publishWorkflow, validateWorkflow } from './publish-workflow.ts';
import {
  listRunEvents,
  listRunsOf,
  listWorkflows,
  readRunOf,
  readWorkflow,
  type PageArguments,
  type RunsFilter,
} from './read-runs.ts';
import { subscriptionsResolvers } from './subscriptions-resolvers.ts';
import { runWarnings } from './run-warnings.ts';
import { temporalUrl } from './temporal-url.ts';
import { timeTravelResolvers } from './time-travel-resolvers.ts';
import { triggerResolvers } from './trigger-resolvers.ts';
import { versionsResolvers } from './versions-resolvers.ts';

export type RunsContext = {
  principal: Principal;
  loaders: RunLoaders;
  /** Until when an answer is waited for. */
  deadline?: number | undefined;
};
type Reason = { runId: string; reason?: string | null };
type Reference = { id: string };
type ExecutionsArguments = { nodeId?: string | null; first?: number | null; offset?: number | null };

export function runsResolvers(deps: RunsDeps) {
  const authoring = authoringResolvers(deps);
  const batches = batchesResolvers(deps);
  const events = eventsResolvers(deps);
  const insights = insightsResolvers(deps);
  const projections = projectionsResolvers(deps);
  const reruns = rerunResolvers(deps);
  const whatIf = counterfactualResolvers(deps);
  const replays = replayResolvers(deps);
  const triggers = triggerResolvers(deps);
  const versions = versionsResolvers(deps);
  return {
    ...triggers.types,
    ...authoring.types,
    ...reruns.types,
    ...whatIf.types,
    ...replays.types,
    JSON: jsonScalar,
    DateTime: dateTimeScalar,
    Query: {
      ...authoring.Query,
      ...reruns.Query,
      ...whatIf.Query,
      ...replays.Query,
      ...batches.Query,
      ...events.Query,
      ...insights.Query,
      ...projections.Query,
      ...triggers.Query,
      ...versions.Query,
      workflow: (_: unknown, { id }: Reference, { principal }: RunsContext) => readWorkflow(deps, principal, id),
      workflows: (_: unknown, filter: PageArguments & { name?: string | null }, { principal }: RunsContext) =>
        listWorkflows(deps, principal, filter),
      run: (_: unknown, { id }: Reference, { principal }: RunsContext) => readRunOf(deps, principal, id),
      runs: (_: unknown, filter: RunsFilter, { principal }: RunsContext) => listRunsOf(deps, principal, filter),
      validateWorkflow: (_: unknown, { definition }: { definition: Json }, { principal }: RunsContext) =>
        validateWorkflow(deps, principal, definition),
    },
    Mutation: {
      ...reruns.Mutation,
      ...whatIf.Mutation,
      ...batches.Mutation,
      ...projections.Mutation,
      ...triggers.Mutation,
      ...versions.Mutation,
      ...erasureResolvers(deps).Mutation,
      ...operateResolvers(deps).Mutation,
      publishWorkflow: (_: unknown, { definition }: { definition: Json }, { principal }: RunsContext) =>
        publishWorkflow(deps, principal, definition),
      executeWorkflow: (_: unknown, request: ExecuteWorkflow, { principal }: RunsContext) =>
        executeWorkflow(deps, principal, request),
      approve: (_: unknown, request: Approve, { principal }: RunsContext) => approve(deps, principal, request),
      cancelRun: (_: unknown, { runId, reason = null }: Reason, { principal }: RunsContext) =>
        cancelRun(deps, principal, runId, reason),
      terminateRun: (_: unknown, { runId, reason = null }: Reason, { principal }: RunsContext) =>
        terminateRun(deps, principal, runId, reason),
    },
    ...subscriptionsResolvers(deps),
    AuditEntry: insights.AuditEntry,
    Batch: batches.Batch,
    Draft: versions.Draft,
    EventVerification: events.EventVerification,
    StoredEvent: events.StoredEvent,
    FleetReport: versions.FleetReport,
    RepeatedEffect: versions.RepeatedEffect,
    Workflow: {
      ...versions.Workflow,
      __resolveReference: ({ id }: Reference, { principal }: RunsContext) => readWorkflow(deps, principal, id),
      id: (workflow: PublishedDefinition) => workflow.workflowId,
      name: (workflow: PublishedDefinition) => workflow.definition.name,
      kind: workflowKind,
      description: (workflow: PublishedDefinition) => workflow.definition.description,
      inputSchema: (workflow: PublishedDefinition) => workflow.definition.input,
      runs: (workflow: PublishedDefinition, page: PageArguments, { principal }: RunsContext) =>
        listRunsOf(deps, principal, { ...page, workflowId: workflow.workflowId }),
    },
    Run: runFields(deps, { ...effectsResolvers(deps).Run, ...events.Run, ...reruns.Run, ...versions.Run }),
    ...partsOfRuns,
  };
}

function runFields<Areas extends object>(deps: RunsDeps, areas: Areas) {
  return {
    ...areas,
    ...flowResolvers.Run,
    ...timeTravelResolvers(deps).Run,
    __resolveReference: ({ id }: Reference, { loaders }: RunsContext) => loaders.run.load(id),
    workflow: (run: RunRecord, _: unknown, { loaders }: RunsContext) => loaders.pinned.load(run),
    startedAt: (run: RunRecord) => run.startedAt ?? run.createdAt,
    nodes: (run: RunRecord, page: ExecutionsArguments, { loaders }: RunsContext) => nodesOf(deps, loaders, run, page),
    events: (run: RunRecord, page: { after?: number | null; first?: number | null }) =>
      listRunEvents(deps, run.id, page),
    warnings: (run: RunRecord, _: unknown, { loaders }: RunsContext) => runWarnings(deps, loaders, run),
    parent: async ({ parent }: RunRecord, _: unknown, { loaders }: RunsContext) => {
      const run = parent && (await loaders.run.load(parent.runId));
      return run ? { run, nodeId: parent.nodeId, path: parent.iteration } : null;
    },
    children: (run: RunRecord, page: PageArguments, { principal }: RunsContext) =>
      listRunsOf(deps, principal, { ...page, parentRunId: run.id }),
    temporalUrl: (run: RunRecord) => temporalUrl(deps.settings, run),
  };
}

const partsOfRuns = {
  ExecutionChange: { path: ({ iteration }: ExecutionChange) => iteration },
  NodeExecution: {
    id: (node: NodeExecutionRecord) => node.nodeId,
    iteration: (node: NodeExecutionRecord) => Number(node.iteration.split('.').at(-1)),
    path: (node: NodeExecutionRecord) => node.iteration,
  },
  RunEvent: {
    id: (event: RunStoredEvent) => event.sequence,
    nodeId: ({ payload }: RunStoredEvent) => (isJsonObject(payload) ? payload['nodeId'] : null),
  },
};

async function nodesOf(
  deps: RunsDeps,
  loaders: RunLoaders,
  run: RunRecord,
  page: ExecutionsArguments,
): Promise<NodeExecutionRecord[]> {
  const nodes = await listExecutions(deps, loaders, run, page);
  if (nodes.length > 0 || page.nodeId || page.offset) return nodes;
  const published = await loaders.pinned.load(run);
  return published && isCode(published.definition) ? codeNodes(deps, run.id) : nodesBefore(run, published);
}

/** The first page of many runs is one query. */
function listExecutions(
  { pool }: RunsDeps,
  loaders: RunLoaders,
  run: RunRecord,
  { nodeId: node, first, offset }: ExecutionsArguments,
): Promise<NodeExecutionRecord[]> {
  const size = pageSize(first, MOST_EXECUTIONS, 10_000);
  if (!node && !offset && size === MOST_EXECUTIONS) return loaders.nodes.load(run.id);
  if ((offset ?? 0) < 0) throw argumentInvalid('offset', 'must be 0 or more');
  return listNodeExecutions(pool, run.id, { nodeId: node ?? undefined, first: size, offset: offset ?? 0 });
}

/** A run has no node rows until its first event was read: nothing has happened to any of them yet. */
function nodesBefore(run: RunRecord, published: PublishedDefinition | undefined): NodeExecutionRecord[] {
  if (!published) return [];
  return initialState(compileDefinition(published.definition)).nodes.map((node) => ({
    runId: run.id,
    nodeId: nodeId(node.id),
    iteration: node.iteration,
    type: node.type,
    status: node.status,
    attempts: 0,
    input: null,
    output: null,
    error: null,
    startedAt: null,
    closedAt: null,
    port: null,
    handled: false,
    reusedFrom: null,
  }));
}
