import { randomUUID } from 'node:crypto';
import { agentDefinition } from '../../domain/agents/agent-definition.ts';
import { AGENT_MESSAGE_EVENT, agentInput } from '../../domain/agents/agent.ts';
import { presetSystem } from '../../domain/agents/presets.ts';
import { isAgentDefinition } from '../../domain/agents/validate-agents.ts';
import { AppError } from '../../domain/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { PublishedDefinition, RunRecord } from '../../domain/runs/run-record.ts';
import { signalEvent } from '../../temporal/wake-run.ts';
import type { Principal } from '../access/principal.ts';
import { openRun } from '../runs/answer-run.ts';
import type { RunsDeps } from '../runs/deps.ts';
import { checkSize, ensureStarted, executeWorkflow } from '../runs/execute-workflow.ts';
import { assertAgentConfig, publishWorkflow } from '../runs/publish-workflow.ts';
import { readWorkflow } from '../runs/read-runs.ts';
import { type ConversationView, readAgentRun, readConversation } from './conversation.ts';

/** @throws DEFINITION_INVALID */
export async function saveAgent(
  deps: RunsDeps,
  principal: Principal,
  { name, config }: { name: string; config: Json },
): Promise<PublishedDefinition> {
  if (!isJsonObject(config)) throw new AppError('INPUT_INVALID', { detail: 'config must be an object' });
  await assertAgentConfig(deps, principal, name, config);
  const { system } = config;
  const made = agentDefinition(name, config, typeof system === 'string' ? system : presetSystem(config));
  return publishWorkflow(deps, principal, made);
}

export type StartAgentChat = {
  name: string;
  message?: string | null | undefined;
  system?: string | null | undefined;
  values?: Json | undefined;
  idempotencyKey?: string | null | undefined;
};

/** @throws NOT_FOUND, INPUT_INVALID, IDEMPOTENCY_CONFLICT */
export async function startAgentChat(
  deps: RunsDeps,
  principal: Principal,
  { name, message, system, values, idempotencyKey }: StartAgentChat,
): Promise<RunRecord> {
  const agent = await readWorkflow(deps, principal, name);
  if (!agent || !isAgentDefinition(agent.definition)) throw new AppError('NOT_FOUND', { what: 'agent', id: name });
  const given: JsonObject = {
    ...{ prompt: message ?? '', values: values ?? {} },
    ...(system === undefined || system === null ? {} : { system }),
  };
  return executeWorkflow(deps, principal, { workflowId: agent.workflowId, input: agentInput(given), idempotencyKey });
}

export type SendAgentMessage = {
  runId: string;
  text?: string | null | undefined;
  end?: boolean | null | undefined;
  messageId?: string | null | undefined;
};

/** @throws NOT_FOUND, RUN_CLOSED, PAYLOAD_TOO_LARGE, INPUT_INVALID */
export async function sendAgentMessage(
  deps: RunsDeps,
  principal: Principal,
  { runId: id, text, end, messageId }: SendAgentMessage,
): Promise<ConversationView> {
  if ((text ?? '') === '' && end !== true) throw new AppError('INPUT_INVALID', { detail: 'say something, or end' });
  checkSize(deps, text ?? '', 'The message');
  const given = await openRun(deps, principal, id);
  await ensureStarted(deps, given);
  // A run of its own may not have begun its first turn yet.
  const run = (await readAgentRun(deps, principal, id))?.run ?? given;
  const data = { text: text ?? '', from: principal.subject, ...(end === true ? { end } : {}) };
  const event = { id: messageId ?? randomUUID(), name: AGENT_MESSAGE_EVENT, correlation: null, data };
  if (!(await signalEvent(deps.temporal, run.id, event))) throw new AppError('RUN_CLOSED', { runId: run.id });
  deps.hint(run.id);
  return (await readConversation(deps, principal, run.id)) ?? emptyConversation(run);
}

const emptyConversation = ({ id, workflowId, status }: RunRecord): ConversationView => ({
  ...{ runId: id, workflowId, status, messages: [], turns: [] },
  ...{ costMicroUsd: 0, inputTokens: 0, outputTokens: 0 },
});
