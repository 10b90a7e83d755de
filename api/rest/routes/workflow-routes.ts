import { z } from 'zod';
import type { RestRoute } from '../rest-route.ts';
import { json, labels, name, PAGE, page, RUN, STATUS, text, wait, WORKFLOW } from './views.ts';

const execution = {
  input: json.optional(),
  version: z.int().min(1).optional(),
  priority: z.int().optional(),
  labels: labels.optional(),
  startAt: z.iso.datetime({ offset: true }).optional(),
  delayMs: z.int().min(0).optional(),
};

export const EXECUTE = `mutation (
  $workflowId: ID!, $input: JSON, $version: Int, $idempotencyKey: String, $priority: Int, $labels: JSON, $startAt: DateTime,
  $delayMs: Int, $waitMs: Int
) {
  executeWorkflow(
    workflowId: $workflowId, input: $input, version: $version, idempotencyKey: $idempotencyKey, priority: $priority,
    labels: $labels, startAt: $startAt, delayMs: $delayMs, waitMs: $waitMs
  ) { ${RUN} }
}`;

export const WORKFLOW_ROUTES: readonly RestRoute[] = [
  {
    method: 'post',
    path: '/workflows',
    operation: 'publishWorkflow',
    summary:
      'Publish a definition: a new workflow, or the next version of one. The same definition again is the version it is.',
    body: z.looseObject({ name, nodes: z.array(z.looseObject({})), edges: z.array(z.looseObject({})).optional() }),
    document: `mutation ($definition: JSON!) { publishWorkflow(definition: $definition) { ${WORKFLOW} } }`,
    variables: ({ body }) => ({ definition: body }),
    status: 201,
    location: ({ id }: { id: string }) => `/workflows/${encodeURIComponent(id)}`,
  },
  {
    method: 'get',
    path: '/workflows',
    operation: 'workflows',
    summary: 'The latest version of each workflow, by name.',
    query: z.strictObject({ ...page, name: text(200).optional() }),
    document: `query ($first: Int, $after: String, $name: String) {
      workflows(first: $first, after: $after, name: $name) { edges { node { ${WORKFLOW} } } ${PAGE} }
    }`,
  },
  {
    method: 'get',
    path: '/workflows/{id}',
    operation: 'workflow',
    summary: 'The latest version of a workflow.',
    document: `query ($id: ID!) { workflow(id: $id) { ${WORKFLOW} } }`,
  },
  {
    method: 'post',
    path: '/workflows/validate',
    operation: 'validateWorkflow',
    summary: 'Everything that is wrong with a definition; an empty list when it could be published.',
    body: z.strictObject({ definition: json }),
    document: `query ($definition: JSON!) { validateWorkflow(definition: $definition) { code path message hint } }`,
  },
  {
    method: 'post',
    path: '/workflows/{id}/execute',
    operation: 'executeWorkflow',
    summary: 'Start a run. With the same `Idempotency-Key` again it answers with the run that there is.',
    query: z.strictObject({ wait }),
    body: z.strictObject(execution),
    document: EXECUTE,
    variables: ({ path, query, body, idempotencyKey }) => ({
      ...body,
      ...query,
      workflowId: path['id'],
      idempotencyKey,
    }),
    status: 202,
    location: ({ id }: { id: string }) => `/runs/${encodeURIComponent(id)}`,
    idempotent: true,
    waits: true,
  },
  {
    method: 'get',
    path: '/workflows/{id}/status',
    operation: 'run',
    summary: 'The state of a run and of its nodes, by the id of the run.',
    document: `query ($id: ID!) { run(id: $id) { ${STATUS} } }`,
  },
  {
    method: 'post',
    path: '/api/v1/workflows/trigger',
    operation: 'executeWorkflow',
    summary: 'As `POST /workflows/{id}/execute`, in the words of an earlier product.',
    body: z.strictObject({ workflow_name: name, inputs: json.optional() }),
    document: EXECUTE,
    variables: ({ body, idempotencyKey }) => ({
      ...{ workflowId: body['workflow_name'], input: body['inputs'], idempotencyKey },
    }),
    status: 202,
    present: (run: { id: string; status: string; workflow: { id: string }; startedAt: string }) => ({
      instance_id: run.id,
      status_url: `/api/v1/workflows/status/${encodeURIComponent(run.id)}`,
      status: run.status,
      workflow_name: run.workflow.id,
      created_at: run.startedAt,
    }),
    idempotent: true,
    alias: true,
  },
  {
    method: 'get',
    path: '/api/v1/workflows/status/{id}',
    operation: 'run',
    summary: 'As `GET /runs/{id}`, in the words of an earlier product.',
    document: `query ($id: ID!) { run(id: $id) { ${RUN} } }`,
    present: (run: Record<string, unknown> & { workflow: { id: string } }) => ({
      instance_id: run['id'],
      status: run['status'],
      workflow_name: run.workflow.id,
      inputs: run['input'],
      outputs: run['output'],
      started_at: run['startedAt'],
      completed_at: run['closedAt'],
      error: run['error'],
    }),
    alias: true,
  },
];
