import { z } from 'zod';
import type { RestRoute } from '../rest-route.ts';
import { BATCH, json, labels, name, PAGE, page, reason, RUN, STATUS, text, wait } from './views.ts';

const STATUSES = z.enum([
  'PENDING',
  'RUNNING',
  'WAITING',
  'PAUSED',
  'COMPENSATING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TERMINATED',
  'TIMED_OUT',
]);
const node = { nodeId: name, path: text(200).optional() };
const started = { priority: z.int().optional(), labels: labels.optional() };
const toRun = ({ id }: { id: string }) => `/runs/${encodeURIComponent(id)}`;

/** An act on one run, which answers with the run. */
function act(
  verb: string,
  operation: RestRoute['operation'],
  summary: string,
  body: z.ZodObject,
  declared: string,
  given: string,
): RestRoute {
  return {
    method: 'post',
    path: `/runs/{id}/${verb}`,
    operation,
    summary,
    body,
    document: `mutation ($id: ID!${declared}) { ${operation}(runId: $id${given}) { ${RUN} } }`,
  };
}

export const RUN_ROUTES: readonly RestRoute[] = [
  {
    method: 'get',
    path: '/runs',
    operation: 'runs',
    summary: 'Runs, newest first.',
    query: z.strictObject({
      ...page,
      status: z.union([STATUSES, z.array(STATUSES)]).optional(),
      workflowId: text(200).optional(),
    }),
    document: `query ($first: Int, $after: String, $status: [RunStatus!], $workflowId: ID) {
      runs(first: $first, after: $after, status: $status, workflowId: $workflowId) { edges { node { ${RUN} } } ${PAGE} }
    }`,
  },
  {
    method: 'get',
    path: '/runs/{id}',
    operation: 'run',
    summary: 'A run.',
    document: `query ($id: ID!) { run(id: $id) { ${RUN} } }`,
  },
  {
    method: 'get',
    path: '/runs/{id}/status',
    operation: 'run',
    summary: 'The state of a run and of its nodes.',
    document: `query ($id: ID!) { run(id: $id) { ${STATUS} } }`,
  },
  act(
    'cancel',
    'cancelRun',
    'Ask the run to stop; what it has to undo it undoes.',
    z.strictObject({ reason }),
    ', $reason: String',
    ', reason: $reason',
  ),
  act(
    'terminate',
    'terminateRun',
    'Stop the run at once.',
    z.strictObject({ reason }),
    ', $reason: String',
    ', reason: $reason',
  ),
  act(
    'pause',
    'pauseRun',
    'No node starts any more; what is under way goes on.',
    z.strictObject({ reason }),
    ', $reason: String',
    ', reason: $reason',
  ),
  act('resume', 'resumeRun', 'Let a paused run go on.', z.strictObject({}), '', ''),
  act(
    'retry',
    'retryNode',
    'Try a node again.',
    z.strictObject(node),
    ', $nodeId: ID!, $path: String',
    ', nodeId: $nodeId, path: $path',
  ),
  act(
    'skip',
    'skipNode',
    'Go on as if the node had given this output.',
    z.strictObject({ ...node, output: json.optional() }),
    ', $nodeId: ID!, $path: String, $output: JSON',
    ', nodeId: $nodeId, path: $path, output: $output',
  ),
  act(
    'approve',
    'approve',
    'Answer a node that waits for an approval.',
    z.strictObject({
      ...node,
      decision: z.enum(['APPROVED', 'REJECTED']),
      comment: text(10_000).optional(),
      data: json.optional(),
    }),
    ', $nodeId: ID!, $path: String, $decision: ApprovalDecision!, $comment: String, $data: JSON',
    ', nodeId: $nodeId, path: $path, decision: $decision, comment: $comment, data: $data',
  ),
  {
    method: 'post',
    path: '/runs/{id}/rerun',
    operation: 'rerunFrom',
    summary: 'A new run that takes over the results of this one up to the nodes named.',
    query: z.strictObject({ wait }),
    body: z.strictObject({
      nodeIds: z.array(name).max(1000).optional(),
      version: z.int().min(1).optional(),
      patches: json.optional(),
      ...started,
    }),
    document: `mutation (
      $runId: ID!, $nodeIds: [String!], $version: Int, $patches: JSON, $idempotencyKey: String, $priority: Int, $labels: JSON,
      $waitMs: Int
    ) {
      rerunFrom(
        runId: $runId, nodeIds: $nodeIds, version: $version, patches: $patches, idempotencyKey: $idempotencyKey,
        priority: $priority, labels: $labels, waitMs: $waitMs
      ) { ${RUN} }
    }`,
    variables: ({ path, query, body, idempotencyKey }) => ({ ...body, ...query, runId: path['id'], idempotencyKey }),
    status: 202,
    location: toRun,
    idempotent: true,
    waits: true,
  },
  {
    method: 'post',
    path: '/runs/{id}/fork',
    operation: 'forkAt',
    summary: 'A new run that goes on from the state of this one right after an event.',
    query: z.strictObject({ wait }),
    body: z.strictObject({
      eventId: z.int().min(0),
      version: z.int().min(1).optional(),
      mapping: json.optional(),
      patches: json.optional(),
      ...started,
    }),
    document: `mutation (
      $runId: ID!, $eventId: Int!, $version: Int, $mapping: JSON, $patches: JSON, $idempotencyKey: String, $priority: Int,
      $labels: JSON, $waitMs: Int
    ) {
      forkAt(
        runId: $runId, eventId: $eventId, version: $version, mapping: $mapping, patches: $patches,
        idempotencyKey: $idempotencyKey, priority: $priority, labels: $labels, waitMs: $waitMs
      ) { ${RUN} }
    }`,
    variables: ({ path, query, body, idempotencyKey }) => ({ ...body, ...query, runId: path['id'], idempotencyKey }),
    status: 202,
    location: toRun,
    idempotent: true,
    waits: true,
  },
  {
    method: 'get',
    path: '/runs/{id}/events',
    operation: 'run',
    summary:
      'Stored events of a run, oldest first. With `Accept: text/event-stream` a stream that follows the run until it is closed and goes on after `Last-Event-ID`.',
    query: z.strictObject({
      after: z.coerce.number().int().min(0).max(2_147_483_647).optional().describe('Events with an id above this.'),
      first: z.coerce.number().int().min(1).max(1000).optional(),
    }),
    document: `query ($id: ID!, $after: Int, $first: Int) {
      run(id: $id) { events(after: $after, first: $first) { id type nodeId occurredAt payload } }
    }`,
    present: ({ events }: { events: { id: number }[] }, { query }) => ({
      items: events,
      nextAfter: events.at(-1)?.id ?? query['after'] ?? 0,
    }),
  },
  {
    method: 'post',
    path: '/batches',
    operation: 'startBatch',
    summary: 'Cancel, terminate, retry, pause, resume or migrate many runs.',
    body: z.strictObject({
      operation: z.enum(['CANCEL', 'TERMINATE', 'PAUSE', 'RESUME', 'RETRY', 'MIGRATE']),
      filter: z.strictObject({
        status: z.array(STATUSES).optional(),
        workflowId: text(200).optional(),
        labels: labels.optional(),
        createdAfter: z.iso.datetime({ offset: true }).optional(),
        createdBefore: z.iso.datetime({ offset: true }).optional(),
      }),
      migration: z.strictObject({ toVersion: z.int().min(1).optional(), mapping: json.optional() }).optional(),
      reason,
      dryRun: z.boolean().optional(),
    }),
    document: `mutation (
      $operation: BatchOperation!, $filter: BatchFilter!, $migration: BatchMigration, $reason: String, $dryRun: Boolean
    ) {
      startBatch(operation: $operation, filter: $filter, migration: $migration, reason: $reason, dryRun: $dryRun) { ${BATCH} }
    }`,
    status: 202,
    location: ({ id }: { id: string }) => `/batches/${encodeURIComponent(id)}`,
  },
  {
    method: 'get',
    path: '/batches',
    operation: 'batches',
    summary: 'Batches, newest first.',
    query: z.strictObject(page),
    document: `query ($first: Int, $after: String) {
      batches(first: $first, after: $after) { edges { node { ${BATCH} } } ${PAGE} }
    }`,
  },
  {
    method: 'get',
    path: '/batches/{id}',
    operation: 'batch',
    summary: 'A batch.',
    document: `query ($id: ID!) { batch(id: $id) { ${BATCH} } }`,
  },
  {
    method: 'post',
    path: '/batches/{id}/cancel',
    operation: 'cancelBatch',
    summary: 'Leave the runs alone that it has not come to.',
    body: z.strictObject({}),
    document: `mutation ($id: ID!) { cancelBatch(id: $id) { ${BATCH} } }`,
  },
];
