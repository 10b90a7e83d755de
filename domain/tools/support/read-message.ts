/** What a message says, by the words in it: no model is asked, and the same message always gives the same. */
export const PRIORITIES = ['low', 'medium', 'high', 'urgent'] as const;
export type Priority = (typeof PRIORITIES)[number];
export const DEPARTMENTS = ['billing', 'technical', 'sales', 'general'] as const;
export type Department = (typeof DEPARTMENTS)[number];
export const INTENTS = ['refund', 'payment', 'cancellation', 'fault', 'account', 'purchase', 'question'] as const;
export type Intent = (typeof INTENTS)[number];

const INTENT_WORDS: Readonly<Record<Exclude<Intent, 'question'>, readonly string[]>> = {
  refund: ['refund', 'money back', 'chargeback', 'reimburse', 'overcharged', 'charged twice'],
  payment: ['invoice', 'payment', 'pay', 'billing', 'bill', 'charge', 'charged', 'receipt'],
  cancellation: ['cancel', 'unsubscribe', 'terminate', 'close my account', 'stop my subscription'],
  fault: ['error', 'bug', 'crash', 'crashes', 'broken', 'not working', 'fails', 'failed', 'down', 'slow', 'outage'],
  account: ['password', 'login', 'log in', 'sign in', 'account', 'locked', 'two-factor', '2fa', 'access'],
  purchase: ['buy', 'purchase', 'pricing', 'price', 'quote', 'upgrade', 'demo', 'trial', 'plan'],
};
const DEPARTMENT_OF: Readonly<Record<Intent, Department>> = {
  refund: 'billing',
  payment: 'billing',
  cancellation: 'general',
  fault: 'technical',
  account: 'technical',
  purchase: 'sales',
  question: 'general',
};
const POSITIVE = ['thanks', 'thank you', 'great', 'love', 'excellent', 'happy', 'perfect', 'helpful', 'appreciate'];
const NEGATIVE = [
  ...['angry', 'terrible', 'awful', 'unacceptable', 'worst', 'hate', 'frustrated', 'disappointed', 'useless'],
  ...['ridiculous', 'furious', 'scam', 'broken', 'never works'],
];
const URGENT = ['urgent', 'immediately', 'asap', 'emergency', 'outage', 'data loss', 'security', 'breach', 'right now'];

/** Words and phrases of `known` that are in the message, as whole words. */
export function wordsIn(message: string, known: readonly string[]): string[] {
  const text = ` ${message.toLowerCase().replaceAll(/[^\p{L}\p{N}'-]+/gu, ' ')} `;
  return known.filter((word) => text.includes(` ${word} `));
}

export type ReadIntent = { intent: Intent; confidence: number; department: Department; reasoning: string };

/** The intent with most of its words in the message; the earlier in the table where several have as many. */
export function readIntent(message: string): ReadIntent {
  const found = Object.entries(INTENT_WORDS).map(([intent, words]) => ({
    intent: intent as Intent,
    words: wordsIn(message, words),
  }));
  const best = found.reduce((most, one) => (one.words.length > most.words.length ? one : most));
  const [count, intent] = [best.words.length, best.words.length === 0 ? 'question' : best.intent];
  return {
    intent,
    confidence: rounded(Math.min(0.9, 0.2 * count + 0.3)),
    department: DEPARTMENT_OF[intent],
    reasoning: count === 0 ? 'no known word is in the message' : `the message says: ${best.words.join(', ')}`,
  };
}

export type ReadSentiment = { sentiment: 'positive' | 'neutral' | 'negative'; confidence: number };

export function readSentiment(message: string): ReadSentiment {
  const [good, bad] = [wordsIn(message, POSITIVE).length, wordsIn(message, NEGATIVE).length];
  if (good === bad) return { sentiment: 'neutral', confidence: 0.75 };
  const confidence = rounded(Math.min(0.9, 0.6 + 0.1 * Math.abs(good - bad)));
  return { sentiment: good > bad ? 'positive' : 'negative', confidence };
}

/** What the words ask for, never less than what the ticket says. */
export function readPriority(message: string, said: Priority): Priority {
  const urgent = wordsIn(message, URGENT).length;
  const angry = readSentiment(message).sentiment === 'negative';
  const raised = urgent > 1 ? 3 : urgent === 1 ? 2 : angry ? 1 : 0;
  return PRIORITIES[Math.max(raised, PRIORITIES.indexOf(said))] as Priority;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
