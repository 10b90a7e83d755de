import { READING_TOOLS } from './support-reading-tools.ts';
import { ACTING_TOOLS } from './support-acting-tools.ts';
import { INVOICE_TOOL } from './support-invoice-tool.ts';

export const CUSTOMER_SUPPORT = {
  name: 'customer-support',
  instructions: `Tickets and invoices of this tenant. validate_ticket opens a ticket; the tools that read messages go by rules and ask no
model; send_reply puts a reply into the ticket's outbox and sends nothing itself. A call with the idempotency key of an earlier one gives
what that one gave.`,
  tools: [...READING_TOOLS, ...ACTING_TOOLS, INVOICE_TOOL],
};
