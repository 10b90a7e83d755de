import { InvalidArgumentError } from 'commander';

/** An amount in dollars, as micro-USD. */
export function dollars(text: string): number {
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError('Not an amount in dollars.');
  return Math.round(Number(text) * 1e6);
}
