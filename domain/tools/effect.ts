import type { Json, JsonObject } from '../json.ts';

/**
 * STARTED: the call may be under way. RECEIPT: answered, and the answer is kept. FAILED: answered with an error, or never sent.
 * UNKNOWN: sent, and nobody knows whether it took effect.
 */
export const EFFECT_STATES = ['STARTED', 'RECEIPT', 'FAILED', 'UNKNOWN'] as const;
export type EffectState = (typeof EFFECT_STATES)[number];

/** What a call that may have taken effect does when it comes up again: call with the same key, or fail for somebody to look. */
export type OnUnknown = 'retry' | 'fail';

/** A node's execution: what an effect belongs to. */
export type EffectPlace = { runId: string; nodeId: string; iteration: string };

/** A call about to be made. */
export type EffectCall = EffectPlace & {
  key: string;
  /** The activity's type. */
  kind: string;
  /** What is asked of whom, without secrets. */
  request: JsonObject;
  /** Of the whole request. */
  requestHash: string;
  /** When the execution was scheduled, in ms: the same for all its retries, another once somebody asks for it anew. */
  scheduledAt: number;
};

export type EffectError = { code: string; message: string };
export type EffectOutcome = { state: 'RECEIPT'; receipt: Json } | { state: 'FAILED' | 'UNKNOWN'; error: EffectError };

/** One attempt of a call. */
export type EffectRecord = EffectCall & {
  /** 1 for the first time that this execution made a call. */
  attempt: number;
  state: EffectState;
  receipt: Json;
  error: EffectError | null;
  startedAt: Date;
  finishedAt: Date | null;
};

export type EarlierEffect = Pick<EffectRecord, 'attempt' | 'state' | 'requestHash' | 'scheduledAt' | 'receipt'>;

export type EffectDecision =
  | { act: 'call'; attempt: number; changed: boolean }
  | { act: 'return'; receipt: Json }
  | { act: 'refuse'; attempt: number };

/**
 * Whether to call, given the earlier attempts of the same execution. A receipt for the same request is the answer; a request that has
 * changed since (as after a reset of the run) is another effect and needs another key.
 */
export function decideEffect(
  earlier: readonly EarlierEffect[],
  call: Pick<EffectCall, 'requestHash' | 'scheduledAt'>,
  onUnknown: OnUnknown,
): EffectDecision {
  const same = earlier.filter((effect) => effect.requestHash === call.requestHash);
  const answered = same.findLast((effect) => effect.state === 'RECEIPT');
  if (answered) return { act: 'return', receipt: answered.receipt };
  const unknown = same.findLast(
    ({ state, scheduledAt }) => (state === 'STARTED' || state === 'UNKNOWN') && scheduledAt === call.scheduledAt,
  );
  if (unknown && onUnknown === 'fail') return { act: 'refuse', attempt: unknown.attempt };
  const attempt = Math.max(0, ...earlier.map((effect) => effect.attempt)) + 1;
  return { act: 'call', attempt, changed: earlier.length > same.length };
}
