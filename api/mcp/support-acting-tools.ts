import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { actOnce, changeTicket, readTicket, type SupportClient } from '../../adapters/postgres/support-store.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { ServedCall } from '../../domain/tools/served-tools.ts';
import { DEPARTMENTS, PRIORITIES } from '../../domain/tools/support/read-message.ts';
import { escalationTime } from '../../domain/tools/support/write-response.ts';
import { answerOf, ownTool, type OwnTool } from './own-tool.ts';
import { id, text } from './support-inputs.ts';
import type { ToolsCaller } from './tools-caller.ts';

type Act = { kind: string; prefix: string; subjectId: string };

/** Does what a call asks for once, whoever sends it how often; `work` gets the id of what was done. */
export async function act(
  { pool, tenantId }: ToolsCaller,
  { kind, prefix, subjectId }: Act,
  { key, arguments: given }: ServedCall<AbortSignal>,
  work: (client: SupportClient, actionId: string) => Promise<JsonObject>,
) {
  const actionId = `${prefix}-${randomUUID()}`;
  const action = { id: actionId, kind, subjectId, key, asked: given };
  return answerOf(await actOnce(pool, tenantId, action, async (client) => ({ ...(await work(client, actionId)) })));
}

const escalate = ownTool({
  name: 'escalate_ticket',
  description: 'Hands a ticket to a team, with the time by which somebody looks at it.',
  input: z.strictObject({
    ticket_id: id,
    escalation_reason: text(5_000).min(1),
    target_team: id,
    urgency: z.enum(['low', 'medium', 'high', 'critical']),
  }),
  run: (caller: ToolsCaller, { ticket_id, target_team: team, urgency }, call) =>
    act(caller, { kind: 'escalated', prefix: 'ESC', subjectId: ticket_id }, call, async (client, escalation_id) => {
      const { state } = await changeTicket(client, caller.tenantId, ticket_id, { state: 'escalated', team });
      return { escalation_id, ticket_id, team, state, estimated_response: escalationTime(urgency) };
    }),
});

const close = ownTool({
  name: 'close_ticket',
  description: 'Closes a ticket; a closed one does not change any more.',
  destructive: true,
  input: z.strictObject({
    ticket_id: id,
    resolution: text(10_000).min(1),
    customer_satisfaction: z.int().min(1).max(5).optional(),
    follow_up_required: z.boolean().optional(),
  }),
  run: (caller: ToolsCaller, input, call) =>
    act(caller, { kind: 'closed', prefix: 'CLS', subjectId: input.ticket_id }, call, async (client) => {
      const {
        ticket_id,
        resolution,
        customer_satisfaction: satisfaction = null,
        follow_up_required: followUp = false,
      } = input;
      const change = { state: 'closed', resolution, satisfaction, followUp };
      const { state } = await changeTicket(client, caller.tenantId, ticket_id, change);
      return { ticket_id, state, follow_up_required: followUp };
    }),
});

const sendReply = ownTool({
  name: 'send_reply',
  description:
    'Puts a reply to a ticket into its outbox, from where it goes to the customer; this server sends nothing itself.',
  input: z.strictObject({
    ticket_id: id,
    message: text(5_000).min(1),
    channel: z.enum(['email', 'chat', 'phone', 'sms']),
    priority: z.enum(['low', 'normal', 'high', 'urgent']).optional(),
  }),
  run: (caller: ToolsCaller, { ticket_id, channel, priority = 'normal' }, call) =>
    act(caller, { kind: 'replied', prefix: 'MSG', subjectId: ticket_id }, call, async (client, reply_id) => {
      const { customerId } = await readTicket(client, caller.tenantId, ticket_id);
      return { reply_id, ticket_id, customer_id: customerId, channel, priority, state: 'queued' };
    }),
});

const route = ownTool({
  name: 'ticket_router',
  description: 'Gives a ticket to a department, and to one of its agents where one is named.',
  input: z.strictObject({
    ticket_id: id,
    department: z.enum(DEPARTMENTS),
    agent_id: id.optional(),
    priority: z.enum(PRIORITIES).optional(),
    routing_reason: text(5_000).optional(),
  }),
  run: (caller: ToolsCaller, { ticket_id, department, agent_id: agentId = null, priority }, call) =>
    act(caller, { kind: 'routed', prefix: 'RTE', subjectId: ticket_id }, call, async (client) => {
      const change = { department, agentId, ...(priority === undefined ? {} : { priority }) };
      const routed = await changeTicket(client, caller.tenantId, ticket_id, change);
      return { ticket_id, department, agent_id: agentId, priority: routed.priority, state: routed.state };
    }),
});

/** What changes a ticket. */
export const ACTING_TOOLS: readonly OwnTool<ToolsCaller>[] = [escalate, close, sendReply, route];
