import { AppError } from '../errors.ts';
import { retryAfterMs } from './retry-after.ts';
import type { HttpResponse } from './activities.ts';

/** Request timeout, too early, too many requests: the same request may succeed later. */
const TRANSIENT = new Set([408, 425, 429]);
const EXCERPT = 500;

/** What a response status means for the node; null below 400. */
export function responseError(method: string, response: HttpResponse, now: number): AppError | null {
  const { status } = response;
  if (status < 400) return null;
  const fields = {
    method,
    url: response.url.replace(/[?#].*$/s, ''),
    httpStatus: status,
    excerpt: excerptOf(response),
  };
  if (status < 500 && !TRANSIENT.has(status)) return new AppError('HTTP_STATUS', fields);
  const wait = retryAfterMs(response.headers['retry-after'], now);
  return new AppError('HTTP_UNAVAILABLE', {
    ...fields,
    detail: `it answered ${status}`,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

function excerptOf({ body }: HttpResponse): string {
  return (typeof body === 'string' ? body : (JSON.stringify(body) ?? '')).slice(0, EXCERPT);
}
