import { listNodeExecutions, MOST_EXECUTIONS } from '../../adapters/postgres/node-store.ts';
import type { AgentCall, AgentInput } from '../../domain/agents/agent.ts';
import type { TurnOutput } from '../../domain/agents/activities.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { assistantParts, type Message, textOf, userParts } from '../../domain/models/message.ts';
import { childRunId } from '../../domain/runs/child-run-id.ts';
import type { NodeExecutionRecord, RunRecord } from '../../domain/runs/run-record.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from '../runs/deps.ts';
import { readRunOf } from '../runs/read-runs.ts';

type Reading = Pick<RunsDeps, 'pool'>;
export type MessageView = { index: number; role: string; text: string; content: Json };
export type CallView = {
  id: string;
  name: string;
  input: Json;
  refusal: string | null;
  status: 'PENDING' | 'WAITING' | 'RUNNING' | 'DONE' | 'CANCELLED';
  waitsFor: string | null;
  path: string;
  outcome: Json;
  childRunId: string | null;
};
export type TurnView = {
  path: string;
  status: string;
  calls: CallView[];
  startedAt: Date | null;
  closedAt: Date | null;
} & Record<
  'provider' | 'model' | 'text' | 'finishReason' | 'inputTokens' | 'outputTokens' | 'costMicroUsd',
  string | number | null
>;
export type ConversationView = {
  runId: string;
  workflowId: string;
  status: string;
  messages: MessageView[];
  turns: TurnView[];
} & Record<'costMicroUsd' | 'inputTokens' | 'outputTokens', number>;

export const TURN_NODE = 'turn';

/** The run of an agent: the given one, or that of the newest agent in it. */
export async function readAgentRun(
  deps: Reading,
  principal: Principal,
  id: string,
): Promise<{ run: RunRecord; executions: NodeExecutionRecord[] } | null> {
  const run = await readRunOf(deps, principal, id);
  if (!run) return null;
  const executions = await listNodeExecutions(deps.pool, run.id, { first: MOST_EXECUTIONS });
  if (executions.some(isTurn)) return { run, executions };
  const node = executions.findLast(({ type }) => type === 'agent');
  if (node === undefined) return null;
  const { nodeId, iteration } = node;
  return readAgentRun(deps, principal, childRunId(run.id, { nodeId, iteration, chunk: null }));
}

const isTurn = ({ nodeId, type }: NodeExecutionRecord): boolean => nodeId === TURN_NODE && type === 'agent.turn';

export async function readConversation(
  deps: Reading,
  principal: Principal,
  id: string,
): Promise<ConversationView | null> {
  const found = await readAgentRun(deps, principal, id);
  if (found === null) return null;
  const { run, executions } = found;
  const turns = executions.filter(isTurn).toSorted((left, right) => byPath(left.iteration, right.iteration));
  const spent = turns.map(outputOf).findLast((output) => output !== null)?.spent;
  return {
    runId: run.id,
    workflowId: run.workflowId,
    status: run.status,
    messages: messagesOf(run, turns),
    turns: turns.map((turn) => turnView(turn, executions, run.id)),
    costMicroUsd: spent?.costMicroUsd ?? 0,
    inputTokens: spent?.inputTokens ?? 0,
    outputTokens: spent?.outputTokens ?? 0,
  };
}

/** What was said before the first turn is the run's input; each turn adds what came in before it, and its answer. */
function messagesOf({ input }: RunRecord, turns: readonly NodeExecutionRecord[]): MessageView[] {
  const { messages = [], prompt = '' } = (isJsonObject(input) ? input : {}) as Partial<AgentInput>;
  const first: Message[] = [...messages, ...(prompt === '' ? [] : [{ role: 'user' as const, content: prompt }])];
  const added = turns.flatMap((turn) => outputOf(turn)?.added ?? []);
  return [...first, ...added].map((message, index) => ({
    index,
    role: message.role.toUpperCase(),
    text: saidIn(message),
    content: message.content as Json,
  }));
}

function saidIn(message: Message): string {
  switch (message.role) {
    case 'tool':
      return '';
    case 'assistant':
      return textOf(assistantParts(message.content));
    default:
      return textOf(userParts(message.content));
  }
}

const outputOf = ({ output }: NodeExecutionRecord): TurnOutput | null =>
  isJsonObject(output) ? (output as unknown as TurnOutput) : null;

function turnView(turn: NodeExecutionRecord, executions: readonly NodeExecutionRecord[], runId: string): TurnView {
  const output = outputOf(turn);
  return {
    path: turn.iteration,
    status: turn.status,
    provider: output?.provider ?? null,
    model: output?.model ?? null,
    text: output?.text ?? null,
    finishReason: output?.finishReason ?? null,
    inputTokens: output?.usage?.inputTokens ?? null,
    outputTokens: output?.usage?.outputTokens ?? null,
    costMicroUsd: output?.costMicroUsd ?? null,
    calls: (output?.calls ?? []).map((call, index) => {
      const path = `${turn.iteration}.${index + 1}`;
      return callView(
        call,
        path,
        executions.filter(({ iteration }) => iteration === path),
        runId,
      );
    }),
    startedAt: turn.startedAt,
    closedAt: turn.closedAt,
  };
}

const CHILDREN: readonly string[] = ['agent', 'subworkflow'];

function callView(
  { id, name, input, refusal }: AgentCall,
  path: string,
  nodes: readonly NodeExecutionRecord[],
  runId: string,
): CallView {
  const waiting = nodes.find(({ status }) => status === 'WAITING');
  const ended = nodes.find(({ nodeId }) => nodeId === 'outcome');
  const running = nodes.some(({ status }) => status === 'RUNNING');
  const child = nodes.find(
    ({ type, status }) => CHILDREN.includes(type) && status !== 'SKIPPED' && status !== 'PENDING',
  );
  return {
    ...{ id, name, input, refusal, path },
    status: waiting ? 'WAITING' : running ? 'RUNNING' : statusOf(ended),
    waitsFor: waiting?.nodeId ?? null,
    outcome: ended?.status === 'COMPLETED' ? ended.output : null,
    childRunId: child ? childRunId(runId, { nodeId: child.nodeId, iteration: path, chunk: null }) : null,
  };
}

function statusOf(ended: NodeExecutionRecord | undefined): CallView['status'] {
  if (ended?.status === 'COMPLETED') return 'DONE';
  return ended?.status === 'CANCELLED' ? 'CANCELLED' : 'PENDING';
}

function byPath(left: string, right: string): number {
  const [one, other] = [left.split('.').map(Number), right.split('.').map(Number)];
  const at = one.findIndex((part, index) => part !== other[index]);
  return at < 0 ? one.length - other.length : (one[at] as number) - (other[at] ?? -1);
}
