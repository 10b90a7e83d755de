import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export type RequestTrace = {
  correlationId: string;
  traceId: string;
  /** W3C Trace Context of this hop, for the next one. */
  traceparent: string;
};

const PRINTABLE = /^[\x20-\x7e]{1,256}$/;
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})/;

/** Continues the caller's trace and correlation where the headers hold valid ones, and begins new ones otherwise. */
export function requestTrace(headers: IncomingHttpHeaders): RequestTrace {
  const given = headers['x-correlation-id'];
  const parent = TRACEPARENT.exec(headers['traceparent']?.toString() ?? '');
  const traceId = parent?.[1] ?? randomBytes(16).toString('hex');
  return {
    correlationId: typeof given === 'string' && PRINTABLE.test(given) ? given : randomUUID(),
    traceId,
    traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-${parent?.[2] ?? '01'}`,
  };
}
