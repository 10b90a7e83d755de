import { asyncLocalStorage, Context, type Info } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { activityId } from '../../domain/runs/activity-id.ts';

export type MemberPlace = { nodeId: string; iteration: string; activityType: string };

/**
 * Runs an activity inside another as if the server had scheduled it: it sees its own id, and its signal falls when its time is over
 * or when the outer activity is cancelled. An activity that ignores its signal is left behind at its timeout.
 */
export async function inMemberContext<Output>(
  { nodeId, iteration, activityType }: MemberPlace,
  timeoutMs: number,
  work: () => Promise<Output>,
): Promise<{ output: Output } | 'timed out'> {
  const outer = Context.current();
  const { promise: cancelled, reject } = Promise.withResolvers<never>();
  cancelled.catch(() => undefined);
  const over = new AbortController();
  const cancel = (reason: unknown) => {
    reject(reason);
    over.abort(reason);
  };
  const cancelWithOuter = () => cancel(outer.cancellationSignal.reason);
  const { promise: timedOut, resolve: timeOut } = Promise.withResolvers<'timed out'>();
  const timer = setTimeout(() => {
    timeOut('timed out');
    cancel(new CancelledFailure('TIMED_OUT'));
  }, timeoutMs);
  outer.cancellationSignal.addEventListener('abort', cancelWithOuter);
  const info: Info = {
    ...outer.info,
    activityId: activityId(nodeId, iteration),
    activityType,
    startToCloseTimeoutMs: timeoutMs,
  };
  const inner = Object.create(outer, {
    info: { value: info },
    cancelled: { value: cancelled },
    cancellationSignal: { value: over.signal },
    // A local activity has nobody to report to, and learns of cancellation without.
    heartbeat: { value: () => undefined },
  }) as Context;
  try {
    if (outer.cancellationSignal.aborted) throw outer.cancellationSignal.reason;
    const running = asyncLocalStorage.run(inner, work).then((output) => ({ output }));
    running.catch(() => undefined);
    return await Promise.race([running, timedOut]);
  } finally {
    clearTimeout(timer);
    outer.cancellationSignal.removeEventListener('abort', cancelWithOuter);
  }
}
