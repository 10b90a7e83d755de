import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Json } from '../domain/json.ts';
import { toFailure } from './to-failure.ts';

const HEARTBEAT_MS = 1_000;

/**
 * How every activity runs: heartbeats by timer while it works, so that cancellation arrives, with what `note` was last told; hands on
 * the cancellation signal; turns errors into failures of the error table.
 */
export async function heartbeatWhile<T>(
  work: (signal: AbortSignal, note: (details: Json) => void) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  let details: Json | undefined;
  const note = (told: Json) => {
    details = told;
  };
  const timer = setInterval(() => context.heartbeat(details), HEARTBEAT_MS);
  try {
    return await Promise.race([work(context.cancellationSignal, note), context.cancelled]);
  } catch (error) {
    if (context.cancellationSignal.aborted) return await context.cancelled;
    const failure = toFailure(error);
    if (failure instanceof ApplicationFailure && failure.type === 'NODE_FAILED') {
      context.log.error('activity failed unexpectedly', { error });
    }
    throw failure;
  } finally {
    clearInterval(timer);
  }
}
