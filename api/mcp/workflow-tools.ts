import { allow } from '../../domain/access/allow.ts';
import { AppError } from '../../domain/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { ServedAnswer, ServedCall, ServedTool } from '../../domain/tools/served-tools.ts';
import { followRun } from './follow-run.ts';
import type { WeftCaller } from './weft-caller.ts';

type Shown = { id: string; version: number; description: string | null; inputSchema: Json };
type Page = { edges: { node: Shown }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };

/** The longest name that the protocol recommends for a tool; longer ones are there for start_run. */
const MOST_NAME = 128;
const WORKFLOWS = `query ($after: String) { workflows(first: 100, after: $after) {
  edges { node { id version description inputSchema } } pageInfo { hasNextPage endCursor } } }`;
const WORKFLOW = 'query ($id: ID!) { workflow(id: $id) { id version description inputSchema } }';

export async function listWorkflowTools(
  { principal, ask }: WeftCaller,
  cursor: string | null,
): Promise<{ tools: ServedTool[]; nextCursor: string | null }> {
  if (!allow(principal, 'workflows:read') || !allow(principal, 'runs:start')) return { tools: [], nextCursor: null };
  const { edges, pageInfo } = (await ask(WORKFLOWS, { after: cursor })) as Page;
  const tools = edges.map(({ node }) => node).filter(({ id }) => id.length <= MOST_NAME);
  return { tools: tools.map(toolOf), nextCursor: pageInfo.hasNextPage ? pageInfo.endCursor : null };
}

function toolOf({ id, version, description, inputSchema }: Shown): ServedTool {
  return {
    name: id,
    description: `${description ?? `Runs the workflow ${id}.`}\n\nVersion ${version} of a durable workflow: starts a run, and answers with what became of it.`,
    inputSchema: takes(inputSchema) ? (inputSchema ?? {}) : { properties: { input: inputSchema }, required: ['input'] },
    idempotent: false,
  };
}

/** Arguments are an object; a workflow that takes anything else gets what is in its `input`. */
const takes = (schema: Json): schema is JsonObject | null =>
  schema === null || (isJsonObject(schema) && (schema['type'] === undefined || schema['type'] === 'object'));

/** Starts a run of the workflow, or finds the one that an earlier call with this key has started. @throws TOOL_UNKNOWN */
export async function callWorkflow(caller: WeftCaller, call: ServedCall<AbortSignal>): Promise<ServedAnswer> {
  const workflow = (await caller.ask(WORKFLOW, { id: call.name })) as Shown | null;
  if (!workflow) throw new AppError('TOOL_UNKNOWN', { tool: call.name });
  const input = takes(workflow.inputSchema) ? call.arguments : (call.arguments['input'] ?? null);
  const runId = await startRun(caller, { workflowId: call.name, input, idempotencyKey: call.key });
  return followRun(caller, runId, call, undefined);
}

const START = `mutation ($workflowId: ID!, $input: JSON, $version: Int, $idempotencyKey: String) {
  executeWorkflow(workflowId: $workflowId, input: $input, version: $version, idempotencyKey: $idempotencyKey) { id } }`;

export async function startRun({ ask }: WeftCaller, request: Record<string, unknown>): Promise<string> {
  const { id } = (await ask(START, request)) as { id: string };
  return id;
}
