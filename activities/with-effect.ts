import { createHash } from 'node:crypto';
import { Context, type Info } from '@temporalio/activity';
import { AppError } from '../domain/errors.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import { parseActivityId } from '../domain/runs/activity-id.ts';
import { canonicalJson } from '../domain/runs/canonical-json.ts';
import type { EffectOutcome, EffectPlace, OnUnknown } from '../domain/tools/effect.ts';
import type { EffectLedger } from '../domain/tools/effect-ledger.ts';
import { isUnanswered } from './unanswered.ts';

export type OutgoingCall<Output> = {
  /** All that is asked; only a hash of it is kept. */
  asked: unknown;
  /** What the ledger shows of it: no secrets. */
  request: JsonObject;
  onUnknown: OnUnknown;
  send: (idempotencyKey: string) => Promise<Output>;
};

/**
 * Makes a call to the outside at most once where its answer was kept: the ledger has it before it is sent and when it is answered.
 * Calls that only read need no ledger.
 * @throws EFFECT_UNKNOWN, and whatever `send` throws
 */
export async function withEffect<Output>(ledger: EffectLedger, call: OutgoingCall<Output>): Promise<Output> {
  const { info, log } = Context.current();
  const place = placeOf(info);
  const requestHash = sha256(canonicalJson(call.asked));
  const begun = await ledger.begin(
    {
      ...place,
      key: idempotencyKey(info),
      kind: info.activityType,
      request: call.request,
      requestHash,
      scheduledAt: info.scheduledTimestampMs,
    },
    { onUnknown: call.onUnknown, keyOfChanged: idempotencyKey(info, requestHash) },
  );
  if (begun.act === 'return') return begun.receipt as Output;
  if (begun.act === 'refuse') throw new AppError('EFFECT_UNKNOWN', { nodeId: place.nodeId, attempt: begun.attempt });
  const finish = async (outcome: EffectOutcome) => {
    try {
      await ledger.finish(place, begun.attempt, outcome);
    } catch (error) {
      // The call is answered; failing now would repeat it. Temporal gets the answer, and the ledger shows a call not answered.
      log.warn('the effect ledger did not take an answer', { error, ...place });
    }
  };
  try {
    const output = await call.send(begun.key);
    await finish({ state: 'RECEIPT', receipt: (output ?? null) as Json });
    return output;
  } catch (error) {
    const unanswered = isUnanswered(error);
    await finish({ state: unanswered ? 'UNKNOWN' : 'FAILED', error: described(error) });
    if (!unanswered || call.onUnknown === 'retry') throw error;
    throw new AppError('EFFECT_UNKNOWN', { nodeId: place.nodeId, attempt: begun.attempt }, error);
  }
}

/** The same for every attempt of a node's iteration; hashed, since run ids are nobody else's business. */
export function idempotencyKey({ workflowExecution, activityId }: Info, changed?: string): string {
  const parts = [workflowExecution?.workflowId ?? '', activityId, ...(changed === undefined ? [] : [changed])];
  return sha256(parts.join('\n'));
}

function placeOf({ workflowExecution, activityId }: Info): EffectPlace {
  const node = parseActivityId(activityId);
  return {
    runId: workflowExecution?.workflowId ?? '',
    nodeId: node?.nodeId ?? activityId,
    iteration: String(node?.iteration ?? '1'),
  };
}

function described(error: unknown): { code: string; message: string } {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  return { code: 'NODE_FAILED', message: 'The call failed unexpectedly, or was cancelled' };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
