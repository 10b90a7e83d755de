import { z } from 'zod';
import { saveTicket } from '../../adapters/postgres/support-store.ts';
import { readIntent, readPriority, readSentiment } from '../../domain/tools/support/read-message.ts';
import { readSpam } from '../../domain/tools/support/spam.ts';
import { writeResponse } from '../../domain/tools/support/write-response.ts';
import { answerOf, ownTool, type OwnTool } from './own-tool.ts';
import { id, text, ticket } from './support-inputs.ts';
import type { ToolsCaller } from './tools-caller.ts';

const LEAST_MESSAGE = 10;

const validateTicket = ownTool({
  name: 'validate_ticket',
  description:
    'Checks a ticket, and opens it when nothing is wrong with it. The same ticket again changes its message and priority.',
  idempotent: true,
  input: z.strictObject({ ...ticket, ticket_id: text(200), customer_id: text(200), message: text(20_000) }),
  run: async ({ pool, tenantId }: ToolsCaller, { ticket_id, customer_id, message, priority }) => {
    const problems = [
      ...(/^[\w.:-]+$/.test(ticket_id) ? [] : ['ticket_id must be letters, digits, and . : _ -']),
      ...(/^[\w.:@-]+$/.test(customer_id) ? [] : ['customer_id must be letters, digits, and . : _ @ -']),
      ...(message.trim().length < LEAST_MESSAGE ? [`message has fewer than ${LEAST_MESSAGE} characters`] : []),
    ];
    if (problems.length > 0) return answerOf({ valid: false, problems });
    const saved = await saveTicket(pool, tenantId, { id: ticket_id, customerId: customer_id, message, priority });
    return answerOf({ valid: true, problems, ticket: saved });
  },
});

const filterSpam = ownTool({
  name: 'filter_spam',
  description: 'How much a message looks like one that nobody wants, and why.',
  readOnly: true,
  input: z.strictObject({
    message: text(20_000),
    sender_reputation: z.number().min(0).max(1).optional().describe('0 (bad) to 1; default 0.5.'),
  }),
  run: async (_caller: ToolsCaller, { message, sender_reputation: reputation = 0.5 }) =>
    answerOf(readSpam(message, reputation)),
});

const determineIntent = ownTool({
  name: 'determine_ticket_intent',
  description: 'What the customer wants, by the words of the message, and the department for it.',
  readOnly: true,
  input: z.strictObject({ customer_event: z.strictObject(ticket) }),
  run: async (_caller: ToolsCaller, { customer_event }) => answerOf(readIntent(customer_event.message)),
});

const analyzeTicket = ownTool({
  name: 'analyze_ticket',
  description: 'Intent, sentiment, spam score and the priority that the words of a ticket ask for.',
  readOnly: true,
  input: z.strictObject(ticket),
  run: async (_caller: ToolsCaller, { ticket_id, message, priority }) =>
    answerOf({
      ticket_id,
      ...readIntent(message),
      ...{ sentiment: readSentiment(message), spam: readSpam(message, 0.5) },
      ...{ priority: readPriority(message, priority), words: message.trim().split(/\s+/).length },
    }),
});

const generateResponse = ownTool({
  name: 'generate_customer_response',
  description: 'A first answer to a ticket, from fixed texts by intent and priority.',
  readOnly: true,
  input: z.strictObject({ customer_event: z.strictObject(ticket), intent: id, reasoning: text(5_000).optional() }),
  run: async (_caller: ToolsCaller, { customer_event: { ticket_id, priority }, intent, reasoning = null }) =>
    answerOf({ ticket_id, intent, reasoning, response: writeResponse({ id: ticket_id, priority }, intent) }),
});

/** What only reads messages, and what opens a ticket. */
export const READING_TOOLS: readonly OwnTool<ToolsCaller>[] = [
  validateTicket,
  filterSpam,
  determineIntent,
  analyzeTicket,
  generateResponse,
];
