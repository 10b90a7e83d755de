import { z } from 'zod';
import type { Operation } from '../../domain/access/operation-permissions.ts';
import { RUN_STATUSES } from '../../domain/runs/run-status.ts';
import { json, name, reason, text } from '../rest/routes/views.ts';
import { followRun, readShown } from './follow-run.ts';
import { answerOf, type OwnTool, ownTool } from './own-tool.ts';
import { RUN, runAnswer, runView, type ShownRun } from './run-view.ts';
import type { WeftCaller } from './weft-caller.ts';
import { startRun } from './workflow-tools.ts';

type RunTool = OwnTool<WeftCaller> & { operation: Operation };
type Connection<Node> = {
  edges: { node: Node }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
  totalCount: number;
};

const runId = name.describe('As given by start_run, list_runs or a workflow.');
const page = {
  first: z.int().min(1).max(100).optional().describe('How many; default 20.'),
  after: text(1_000).optional().describe('`nextCursor` of the page before.'),
};
const waitMs = z.int().min(0).max(3_600_000).optional();
const PAGE = 'pageInfo { hasNextPage endCursor } totalCount';

const listed = <Node>(result: unknown, show: (node: Node) => unknown) => {
  const { edges, pageInfo, totalCount } = result as Connection<Node>;
  const nextCursor = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  return answerOf({ items: edges.map(({ node }) => show(node)), totalCount, nextCursor });
};
const tool = <Input extends z.ZodObject>(
  operation: Operation,
  definition: Parameters<typeof ownTool<WeftCaller, Input>>[0],
): RunTool => ({ ...ownTool(definition), operation });

/** What there is besides the workflows themselves; `operation` says who may see it. */
export const RUN_TOOLS: readonly RunTool[] = [
  tool('workflows', {
    name: 'list_workflows',
    description: 'The latest version of each published workflow, with the JSON Schema of its input.',
    readOnly: true,
    input: z.strictObject({ ...page, name: text(200).optional().describe('A part of the name.') }),
    run: async ({ ask }, input) =>
      listed(
        await ask(
          `query ($first: Int, $after: String, $name: String) { workflows(first: $first, after: $after, name: $name) {
            edges { node { id version description inputSchema } } ${PAGE} } }`,
          input,
        ),
        (workflow) => workflow,
      ),
  }),
  tool('runs', {
    name: 'list_runs',
    description: 'Runs, newest first.',
    readOnly: true,
    input: z.strictObject({
      ...page,
      status: z.array(z.enum(RUN_STATUSES)).optional(),
      workflowId: text(255).optional(),
    }),
    run: async ({ ask }, input) =>
      listed(
        await ask(
          `query ($first: Int, $after: String, $status: [RunStatus!], $workflowId: ID) {
            runs(first: $first, after: $after, status: $status, workflowId: $workflowId) {
              edges { node { id workflow { id version } status error { code message nodeId } startedAt closedAt } } ${PAGE} } }`,
          input,
        ),
        ({ id, ...run }: { id: string }) => ({ runId: id, ...run }),
      ),
  }),
  tool('executeWorkflow', {
    name: 'start_run',
    description:
      'Starts a run of a workflow and answers at once with its id. The same idempotencyKey gives the same run.',
    input: z.strictObject({
      workflowId: name,
      input: json.optional().describe('As the inputSchema of the workflow says; default {}.'),
      version: z.int().min(1).optional().describe('Default: the latest.'),
      idempotencyKey: text(255).optional(),
    }),
    run: async (caller, input, { key }) => {
      const id = await startRun(caller, { ...input, idempotencyKey: input.idempotencyKey ?? key });
      return answerOf({ runId: id });
    },
  }),
  tool('run', {
    name: 'get_run',
    description: 'How a run stands: status, output, error, and what it waits for.',
    readOnly: true,
    input: z.strictObject({ runId }),
    run: async (caller, input) => answerOf(runView(await readShown(caller, input.runId))),
  }),
  tool('run', {
    name: 'watch_run',
    description:
      'Waits until a run has closed, with progress for those who ask for it, and answers with what became of it.',
    readOnly: true,
    input: z.strictObject({ runId, waitMs: waitMs.describe('At most; then it answers with the run as it is.') }),
    run: async (caller, input, call) => {
      await readShown(caller, input.runId);
      return followRun(caller, input.runId, call, input.waitMs);
    },
  }),
  tool('approve', {
    name: 'approve_node',
    description: 'Answers a node that waits for an approval; `waitingFor` of get_run names it and what it asks for.',
    destructive: true,
    input: z.strictObject({
      runId,
      nodeId: name,
      path: text(200).optional().describe('Which execution, where there are several.'),
      decision: z.enum(['APPROVED', 'REJECTED']),
      comment: text(10_000).optional(),
      data: json.optional().describe('What the form of the approval asks for.'),
    }),
    run: async ({ ask }, input) =>
      runAnswer(
        (await ask(
          `mutation ($runId: ID!, $nodeId: ID!, $path: String, $decision: ApprovalDecision!, $comment: String, $data: JSON) {
            approve(runId: $runId, nodeId: $nodeId, path: $path, decision: $decision, comment: $comment, data: $data) { ${RUN} } }`,
          input,
        )) as ShownRun,
      ),
  }),
  tool('emitEvent', {
    name: 'emit_event',
    description:
      'Signals runs: those that wait for an event of this name and correlation go on. The same id is emitted once.',
    input: z.strictObject({
      name,
      correlation: text(1_000).optional(),
      data: json.optional(),
      id: text(255).optional(),
    }),
    run: async ({ ask }, input, { key }) =>
      answerOf(
        await ask(
          `mutation ($name: String!, $correlation: String, $data: JSON, $id: ID) {
            emitEvent(name: $name, correlation: $correlation, data: $data, id: $id) { id name } }`,
          { ...input, id: input.id ?? key ?? undefined },
        ),
      ),
  }),
  tool('cancelRun', {
    name: 'cancel_run',
    description: 'Asks a run to stop; what it has to undo it undoes.',
    destructive: true,
    idempotent: true,
    input: z.strictObject({ runId, reason }),
    run: async ({ ask }, input) => {
      const run = await ask(
        `mutation ($runId: ID!, $reason: String) { cancelRun(runId: $runId, reason: $reason) { ${RUN} } }`,
        input,
      );
      return answerOf(runView(run as ShownRun));
    },
  }),
];
