import { INTENTS, type Intent } from './read-message.ts';

const PARAGRAPHS: Readonly<Record<Intent, string>> = {
  refund: 'We have your request for a refund. Our billing team checks the charge and tells you what comes of it.',
  payment: 'Your question about a payment is with our billing team, who look at the invoice and answer you.',
  cancellation: 'We have your wish to cancel. Nothing is charged on its account until we have answered you.',
  fault: 'We are sorry that it does not work as it should. Our engineers look into what you describe.',
  account: 'We help you to get back into your account. For your safety we never ask for your password.',
  purchase: 'Thank you for your interest. Our sales team gets back to you with what fits your needs.',
  question: 'Thank you for your message. A member of our team reads it and answers you.',
};
const PROMISE: Readonly<Record<string, string>> = {
  urgent: 'You hear from us within the hour.',
  high: 'You hear from us today.',
  medium: 'You hear from us within one working day.',
  low: 'You hear from us within three working days.',
};

/** A first answer from fixed texts; `intent` may be anything, and what is not known gets the general one. */
export function writeResponse(ticket: { id: string; priority: string }, intent: string): string {
  const known = INTENTS.find((one) => one === intent.toLowerCase()) ?? 'question';
  return [
    'Hello,',
    PARAGRAPHS[known],
    `${PROMISE[ticket.priority] ?? PROMISE['medium']} Your reference is ${ticket.id}.`,
  ].join('\n\n');
}

/** When somebody looks at what was escalated. */
export function escalationTime(urgency: string): string {
  if (urgency === 'critical') return '30 minutes';
  return urgency === 'high' ? '2-4 hours' : '24-48 hours';
}
