import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import * as fc from 'fast-check';
import { AppError, ERRORS, type ErrorCode } from '../domain/errors.ts';
import { toFailure } from './to-failure.ts';

describe('toFailure', () => {
  it('keeps the code, and takes from the table whether a retry makes sense', () => {
    fc.assert(
      fc.property(fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[])), (code) => {
        const failure = toFailure(new AppError(code)) as ApplicationFailure;
        expect(failure).toBeInstanceOf(ApplicationFailure);
        expect(failure).toMatchObject({ type: code, nonRetryable: !ERRORS[code].retry });
      }),
    );
  });

  it('carries the fields and the hint', () => {
    const failure = toFailure(new AppError('CONTENT_TOO_LARGE', { bytes: 9, limitBytes: 5 })) as ApplicationFailure;
    expect(failure.details).toEqual([{ bytes: 9, limitBytes: 5 }]);
    const hinted = toFailure(new AppError('MODEL_AUTH', { provider: 'openai' })) as ApplicationFailure;
    expect(hinted.details).toEqual([{ provider: 'openai', hint: expect.stringContaining('API key') }]);
  });

  it('waits as long as the other side asked', () => {
    const failure = toFailure(new AppError('MODEL_RATE_LIMITED', { retryAfterMs: 7_000 })) as ApplicationFailure;
    expect(failure.nextRetryDelay).toBe(7_000);
  });

  it('makes of an unknown error a retryable one that gives nothing away', () => {
    const failure = toFailure(new Error('password=hunter2')) as ApplicationFailure;
    expect(failure).toMatchObject({ type: 'NODE_FAILED', nonRetryable: false });
    expect(JSON.stringify([failure, failure.message, failure.cause])).not.toContain('hunter2');
  });

  it('lets cancellation pass untouched', () => {
    const cancelled = new CancelledFailure('CANCELLED');
    expect(toFailure(cancelled)).toBe(cancelled);
  });
});
