/** Memo field and Temporal header that carry the W3C Trace Context of whoever started the run. */
export const TRACE_HEADER = 'traceparent';

/** The trace id of a `traceparent`: 32 hex digits after the version. */
export function traceIdOf(traceparent: string | null | undefined): string | null {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? '')?.[1] ?? null;
}
