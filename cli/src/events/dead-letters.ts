import { type DeadLetter, listDeadLetters, requeueDeadLetters } from '../../../adapters/postgres/dead-letters.ts';
import { withEventDatabase } from './event-servers.ts';

export type LetterOptions = { subscription?: string; position?: number; json?: boolean };

const MOST = 1_000;

export async function listLetters({ subscription, json }: LetterOptions): Promise<number> {
  const filter = subscription === undefined ? {} : { name: subscription };
  const letters = await withEventDatabase((pool) => listDeadLetters(pool, { ...filter, first: MOST }));
  const rows = letters.map((letter) => ({ ...letter, position: Number(letter.position) }));
  process.stdout.write(json ? `${JSON.stringify({ deadLetters: rows })}\n` : `${describeLetters(letters)}\n`);
  return 0;
}

/** Gives the exit code: 1 when there was none to queue. */
export async function requeueLetters({ subscription, position, json }: LetterOptions): Promise<number> {
  const filter = {
    ...(subscription === undefined ? {} : { name: subscription }),
    ...(position === undefined ? {} : { position: BigInt(position) }),
  };
  const requeued = await withEventDatabase((pool) => requeueDeadLetters(pool, filter));
  process.stdout.write(json ? `${JSON.stringify({ requeued })}\n` : `${requeued} queued to be handled again\n`);
  return requeued > 0 ? 0 : 1;
}

function describeLetters(letters: readonly DeadLetter[]): string {
  if (letters.length === 0) return 'no dead letters';
  return letters
    .map(({ name, position, state, attempts, streamId, version, type, failedAt, error }) => {
      const { message } = error as { message?: string };
      return `${failedAt.toISOString()}  ${name}  ${position}  ${state}  ${attempts} attempts  ${streamId} version ${version} ${type}: ${message}`;
    })
    .join('\n');
}
