import { describe, expect, it } from '@jest/globals';
import { decideEffect, type EarlierEffect } from './effect.ts';

const earlier = (attempt: number, state: EarlierEffect['state'], more: Partial<EarlierEffect> = {}): EarlierEffect => ({
  attempt,
  state,
  requestHash: 'a',
  scheduledAt: 1,
  receipt: state === 'RECEIPT' ? { paid: attempt } : null,
  ...more,
});
const call = { requestHash: 'a', scheduledAt: 1 };

describe('decideEffect', () => {
  it('calls when nothing was called before', () => {
    expect(decideEffect([], call, 'fail')).toEqual({ act: 'call', attempt: 1, changed: false });
  });

  it('gives the receipt of whichever attempt has one, also one that answered late', () => {
    expect(decideEffect([earlier(1, 'RECEIPT'), earlier(2, 'STARTED')], call, 'fail')).toEqual({
      act: 'return',
      receipt: { paid: 1 },
    });
  });

  it('calls again after a failure that was answered', () => {
    expect(decideEffect([earlier(1, 'FAILED')], call, 'fail')).toMatchObject({ act: 'call', attempt: 2 });
  });

  it('repeats a call that may have taken effect only where that is wanted', () => {
    for (const state of ['STARTED', 'UNKNOWN'] as const) {
      expect(decideEffect([earlier(1, state)], call, 'retry')).toMatchObject({ act: 'call', attempt: 2 });
      expect(decideEffect([earlier(1, state)], call, 'fail')).toEqual({ act: 'refuse', attempt: 1 });
    }
  });

  it('calls after a refusal once somebody has asked for the node anew', () => {
    expect(decideEffect([earlier(1, 'UNKNOWN')], { ...call, scheduledAt: 2 }, 'fail')).toMatchObject({ act: 'call' });
  });

  it('takes a changed request for another effect', () => {
    const decision = decideEffect([earlier(1, 'RECEIPT', { requestHash: 'b' })], call, 'fail');
    expect(decision).toEqual({ act: 'call', attempt: 2, changed: true });
  });
});
