import { z } from 'zod';
import { type Invoice, readInvoice, saveInvoice } from '../../adapters/postgres/support-store.ts';
import { AppError } from '../../domain/errors.ts';
import { ownTool, type OwnTool } from './own-tool.ts';
import { act } from './support-acting-tools.ts';
import { id } from './support-inputs.ts';
import type { ToolsCaller } from './tools-caller.ts';

type Request = { type: 'payment' | 'dispute' | 'inquiry' | 'correction'; amount: number | undefined };

/** An invoice of a customer: what is paid, disputed or corrected. A correction makes one that is not there. */
export const INVOICE_TOOL: OwnTool<ToolsCaller> = ownTool({
  name: 'process_invoice',
  description:
    'Takes a payment for an invoice, disputes it, corrects its amount (which makes it where there is none), or says how it stands.',
  destructive: true,
  input: z.strictObject({
    invoice_id: id,
    customer_id: id,
    request_type: z.enum(['payment', 'dispute', 'inquiry', 'correction']),
    amount: z.number().min(0).max(100_000_000).multipleOf(0.01).optional().describe('Of a payment or a correction.'),
  }),
  run: (caller: ToolsCaller, { invoice_id, customer_id: customerId, request_type: type, amount }, call) =>
    act(caller, { kind: `invoice.${type}`, prefix: 'INV', subjectId: invoice_id }, call, async (client) => {
      const found = await readInvoice(client, caller.tenantId, invoice_id);
      if (found ? found.customerId !== customerId : type !== 'correction') {
        throw new AppError('NOT_FOUND', { what: 'Invoice', id: invoice_id });
      }
      const before = found ?? { id: invoice_id, customerId, amount: 0, paid: 0, disputed: false };
      const after = changed(before, { type, amount });
      if (type !== 'inquiry') await saveInvoice(client, caller.tenantId, after);
      const open = cents(after.amount - after.paid);
      return {
        invoice_id,
        customer_id: customerId,
        ...{ amount: after.amount, paid: after.paid, open },
        disputed: after.disputed,
      };
    }),
});

/** @throws INPUT_INVALID for a payment of more than is open, or of less than was paid as the amount */
function changed(invoice: Invoice, { type, amount }: Request): Invoice {
  if (type === 'inquiry') return invoice;
  if (type === 'dispute') return { ...invoice, disputed: true };
  if (amount === undefined) throw invalid(`a ${type} needs an amount`);
  const paid = type === 'payment' ? cents(invoice.paid + amount) : invoice.paid;
  const owed = type === 'payment' ? invoice.amount : amount;
  if (paid > owed) throw invalid(`${paid} would be paid of ${owed}`);
  return { ...invoice, amount: owed, paid, disputed: type === 'correction' ? false : invoice.disputed };
}

const cents = (value: number): number => Math.round(value * 100) / 100;
const invalid = (detail: string): AppError => new AppError('INPUT_INVALID', { detail });
