import { setTimeout as delay } from 'node:timers/promises';
import { DeadlineExceeded } from '../execute/post-json.ts';
import type { Breaker } from './breaker.ts';
import type { Bulkhead } from './bulkhead.ts';
import { retryDelay, type RetryBudget } from './retry-budget.ts';

/** Why a subgraph gave no answer. */
export type Reason = 'unreachable' | 'timeout' | 'no-answer' | 'deadline' | 'breaker-open' | 'queue-full';

export class SubgraphFailed extends Error {
  readonly reason: Reason;
  /** How long it was waited for. */
  readonly afterMs: number;

  constructor(reason: Reason, afterMs: number, cause?: unknown) {
    super(`${reason} after ${afterMs} ms`, cause === undefined ? undefined : { cause });
    this.name = 'SubgraphFailed';
    this.reason = reason;
    this.afterMs = afterMs;
  }
}

/** What came back is no GraphQL answer. */
export class NoAnswer extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status} without a GraphQL answer`);
    this.name = 'NoAnswer';
    this.status = status;
  }
}

export type Guards = {
  breaker: Breaker;
  bulkhead: Bulkhead;
  budget: RetryBudget;
  timeoutMs: number;
  retries: number;
  onRetry: () => void;
};

/** Of `Date.now()`. */
export type Deadline = number;

/** Statuses of proxies, and of servers that did not begin; others may have done something. */
const NOT_BEGUN = new Set([502, 503, 504]);

/**
 * Sends within the deadline, the timeout, the breaker and the bulkhead; what may be repeated goes again when it was not taken.
 * @throws SubgraphFailed
 */
export async function guardedSend<Answer>(
  guards: Guards,
  { mayRepeat, deadline }: { mayRepeat: boolean; deadline: Deadline },
  send: (timeoutMs: number) => Promise<Answer>,
): Promise<Answer> {
  guards.budget.earn();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sendOnce(guards, deadline, send);
    } catch (error) {
      const failure = error as SubgraphFailed;
      const goesOn = mayRepeat && attempt <= guards.retries && isPassing(failure);
      const pauseMs = retryDelay(attempt);
      if (!goesOn || Date.now() + pauseMs >= deadline || !guards.budget.spend()) throw failure;
      guards.onRetry();
      await delay(pauseMs);
    }
  }
}

async function sendOnce<Answer>(
  { breaker, bulkhead, timeoutMs }: Guards,
  deadline: Deadline,
  send: (timeoutMs: number) => Promise<Answer>,
): Promise<Answer> {
  const leftMs = deadline - Date.now();
  if (leftMs <= 0) throw new SubgraphFailed('deadline', 0);
  const turn = bulkhead.enter(Math.min(leftMs, timeoutMs));
  if (turn !== true && !(await turn)) throw new SubgraphFailed('queue-full', leftMs - (deadline - Date.now()));
  try {
    if (!breaker.admits()) throw new SubgraphFailed('breaker-open', 0);
    return await answered(breaker, Math.max(1, Math.min(timeoutMs, deadline - Date.now())), timeoutMs, send);
  } finally {
    bulkhead.leave();
  }
}

async function answered<Answer>(
  breaker: Breaker,
  waitMs: number,
  timeoutMs: number,
  send: (timeoutMs: number) => Promise<Answer>,
): Promise<Answer> {
  try {
    const answer = await send(waitMs);
    breaker.succeeded();
    return answer;
  } catch (error) {
    breaker.failed();
    throw new SubgraphFailed(reasonOf(error, waitMs < timeoutMs), waitMs, error);
  }
}

function reasonOf(error: unknown, byDeadline: boolean): Reason {
  if (error instanceof DeadlineExceeded) return byDeadline ? 'deadline' : 'timeout';
  return error instanceof NoAnswer ? 'no-answer' : 'unreachable';
}

/** Whether another attempt may go better. Whoever took its whole time would take it again. */
function isPassing({ reason, cause }: SubgraphFailed): boolean {
  if (reason === 'unreachable') return true;
  return reason === 'no-answer' && cause instanceof NoAnswer && NOT_BEGUN.has(cause.status);
}
