import type { RequestHandler } from 'express';

const PREFLIGHT_SECONDS = '600';
const METHODS = 'GET, POST, PUT, PATCH, DELETE';
const TAKEN =
  'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Correlation-ID, traceparent';
const SHOWN = 'ETag, Location, Retry-After, X-Correlation-ID, WWW-Authenticate';

/** Lets web pages of these origins read answers; those of no other, and never with cookies. */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  const allowed = new Set(origins);
  return ({ method, headers }, response, next) => {
    const { origin } = headers;
    response.vary('Origin');
    if (origin === undefined || !allowed.has(origin)) return next();
    response.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': SHOWN });
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return next();
    response.set({
      'Access-Control-Allow-Methods': METHODS,
      'Access-Control-Allow-Headers': TAKEN,
      'Access-Control-Max-Age': PREFLIGHT_SECONDS,
    });
    response.status(204).end();
  };
}
