import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { toFailure } from './to-failure.ts';

const HEARTBEAT_MS = 1_000;

/**
 * How every activity runs: heartbeats by timer while it works, so that cancellation arrives; hands on the cancellation signal; turns
 * errors into failures of the error table.
 */
export async function heartbeatWhile<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await Promise.race([work(context.cancellationSignal), context.cancelled]);
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
