import { describe, expect, it } from '@jest/globals';
import { AppError, ERRORS, type ErrorCode, isErrorCode } from './errors.ts';

describe('the error table', () => {
  const codes = Object.keys(ERRORS) as ErrorCode[];

  it('has an HTTP status and a message for every code, also without fields', () => {
    for (const code of codes) {
      expect(ERRORS[code].status).toBeGreaterThanOrEqual(400);
      expect(ERRORS[code].status).toBeLessThan(600);
      const { message } = new AppError(code);
      expect(message.trim()).not.toBe('');
      expect(message).not.toContain('  ');
    }
  });

  it('names codes in capitals, and knows its own names only', () => {
    for (const code of codes) expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(isErrorCode('NOT_FOUND')).toBe(true);
    expect(isErrorCode('constructor')).toBe(false);
    expect(isErrorCode(undefined)).toBe(false);
  });
});

describe('AppError', () => {
  it('carries code, fields, cause, and what the table says', () => {
    const cause = new Error('why');
    const error = new AppError('MODEL_RATE_LIMITED', { provider: 'openai' }, cause);
    expect(error).toMatchObject({
      code: 'MODEL_RATE_LIMITED',
      status: 429,
      retryable: true,
      hint: undefined,
      message: 'Provider openai is rate limiting',
      cause,
    });
  });
});
