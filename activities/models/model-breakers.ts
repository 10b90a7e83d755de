import type { AppError } from '../../domain/errors.ts';
import {
  abandonedOf,
  begunOf,
  BREAKER_POLICY,
  type BreakerPolicy,
  type BreakerState,
  CLOSED,
  failedOf,
  succeededOf,
  waitOfBreaker,
} from '../../domain/models/circuit-breaker.ts';

export type ModelKey = { provider: string; model: string };
export type BreakerChange = ModelKey & { state: BreakerState };

export type ModelBreakers = {
  /** 0 when the model may be asked now. */
  waitOf: (key: ModelKey) => number;
  begun: (key: ModelKey) => void;
  ended: (key: ModelKey, outcome: 'ok' | 'aborted' | AppError) => void;
};

/** One for each model of a provider, in this process. `onChange` is told when one opens or closes, or fails for another reason. */
export function createModelBreakers({
  now = Date.now,
  policy = BREAKER_POLICY,
  onChange = () => undefined,
}: {
  now?: () => number;
  policy?: BreakerPolicy;
  onChange?: (change: BreakerChange) => void;
} = {}): ModelBreakers {
  const states = new Map<string, BreakerState>();
  const nameOf = ({ provider, model }: ModelKey) => `${provider}/${model}`;
  const read = (key: ModelKey) => states.get(nameOf(key)) ?? CLOSED;
  return {
    waitOf: (key) => waitOfBreaker(read(key), now()),
    begun: (key) => void states.set(nameOf(key), begunOf(read(key), now(), policy)),
    ended(key, outcome) {
      const before = read(key);
      const state = after(before, outcome, now(), policy);
      states.set(nameOf(key), state);
      const isNews = before.openUntil !== state.openUntil || before.lastError?.code !== state.lastError?.code;
      if (isNews || (before.lastSuccessAt === null && state.lastSuccessAt !== null)) {
        onChange({ provider: key.provider, model: key.model, state });
      }
    },
  };
}

function after(
  before: BreakerState,
  outcome: 'ok' | 'aborted' | AppError,
  now: number,
  policy: BreakerPolicy,
): BreakerState {
  if (outcome === 'ok') return succeededOf(now);
  if (outcome === 'aborted') return abandonedOf(before);
  const wait = outcome.fields['retryAfterMs'];
  return failedOf(
    before,
    { code: outcome.code, ...(typeof wait === 'number' ? { retryAfterMs: wait } : {}) },
    now,
    policy,
  );
}
