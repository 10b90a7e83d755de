import { wordsIn } from './read-message.ts';

const BAIT = [
  ...['free money', 'winner', 'you have won', 'lottery', 'casino', 'viagra', 'crypto giveaway', 'bitcoin', 'act now'],
  ...['click here', 'limited offer', 'work from home', 'guaranteed', 'no risk', 'wire transfer', 'seo services'],
];
const SPAM_FROM = 0.5;

export type SpamReading = { isSpam: boolean; score: number; signals: string[] };

/** 0 to 1 by what unwanted messages have in common; `reputation` of the sender is 0 (bad) to 1, and shifts the score. */
export function readSpam(message: string, reputation: number): SpamReading {
  const bait = wordsIn(message, BAIT);
  const links = message.match(/https?:\/\//g)?.length ?? 0;
  const letters = message.match(/\p{L}/gu) ?? [];
  const shouted = letters.length >= 20 && letters.filter((letter) => /\p{Lu}/u.test(letter)).length / letters.length;
  const signals: [string, number][] = [
    ...bait.map((word): [string, number] => [`says "${word}"`, 0.25]),
    ...(links > 2 ? [[`has ${links} links`, 0.3] as [string, number]] : []),
    ...(shouted !== false && shouted > 0.7 ? [['is in capitals', 0.2] as [string, number]] : []),
    ...(/(.)\1{7}/u.test(message) ? [['repeats a character', 0.15] as [string, number]] : []),
  ];
  const ofMessage = signals.reduce((sum, [, weight]) => sum + weight, 0);
  const score = Math.round(Math.min(1, Math.max(0, ofMessage + (0.5 - reputation) * 0.4)) * 100) / 100;
  return { isSpam: score >= SPAM_FROM, score, signals: signals.map(([signal]) => signal) };
}
