import { describe, expect, it } from '@jest/globals';
import type { HttpResponse } from './activities.ts';
import { responseError } from './response-error.ts';

const answer = (status: number, more: Partial<HttpResponse> = {}): HttpResponse => ({
  status,
  headers: {},
  body: 'why not',
  url: 'https://example.com/orders?key=secret',
  ...more,
});

describe('responseError', () => {
  it.each([200, 204, 304, 399])('is none for %i', (status) => {
    expect(responseError('GET', answer(status), 0)).toBeNull();
  });

  it.each([400, 401, 403, 404, 409, 422, 451])('is final for %i', (status) => {
    expect(responseError('GET', answer(status), 0)).toMatchObject({ code: 'HTTP_STATUS', retryable: false });
  });

  it.each([408, 425, 429, 500, 502, 503, 504])('may be retried for %i', (status) => {
    expect(responseError('GET', answer(status), 0)).toMatchObject({ code: 'HTTP_UNAVAILABLE', retryable: true });
  });

  it('hands on how long the server asks to wait', () => {
    const error = responseError('POST', answer(429, { headers: { 'retry-after': '12' } }), 0);
    expect(error?.fields).toMatchObject({ retryAfterMs: 12_000, httpStatus: 429, method: 'POST' });
  });

  it('says what the server said, in short, and leaves the query out', () => {
    const error = responseError('GET', answer(404, { body: { reason: 'x'.repeat(5000) } }), 0);
    expect(error?.message).toBe('GET https://example.com/orders answered 404');
    expect(error?.fields['excerpt']).toHaveLength(500);
  });
});
