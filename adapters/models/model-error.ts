import { AppError, type ErrorCode, type ErrorFields } from '../../domain/errors.ts';
import { retryAfterMs } from '../../domain/tools/retry-after.ts';

/** What an SDK's error says, in one shape for all of them. */
export type VendorError = {
  status?: number | undefined;
  /** The vendor's own word for it. */
  code?: string | null | undefined;
  message: string;
  header?: (name: string) => string | null | undefined;
  /** Where the vendor says it in the body. */
  retryAfterMs?: number | undefined;
};

type ErrorRule = { code: ErrorCode; when: (error: VendorError & { status: number }) => boolean };

const TOO_LONG =
  /context[_ ](length|window)|maximum context|prompt is too long|input is too long|too many (input )?tokens|input token count.{0,40}exceeds|exceeds the (maximum|context)|request_too_large/i;
const FILTERED =
  /content[_ ]?(filter|policy|management)|responsibleai|blocked by|guardrail|safety system|prohibited_content/i;
const USED_UP =
  /insufficient_quota|credit balance is too low|billing_(error|hard_limit)|exceeded your current quota, please check your plan/i;
const OVERLOADED =
  /overloaded|model_?not_?ready|serviceunavailable|service_unavailable|server_is_overloaded|\bUNAVAILABLE\b/i;
const RATE_LIMITED = /throttling|rate_limit|too_many_requests|RESOURCE_EXHAUSTED/i;

const said = ({ code, message }: VendorError): string => `${code ?? ''} ${message}`;

/** The one table, for all providers; the first row that fits counts. */
const ERROR_RULES: readonly ErrorRule[] = [
  {
    code: 'MODEL_QUOTA_EXHAUSTED',
    when: (e) => e.status === 402 || (e.status !== 0 && e.status < 500 && USED_UP.test(said(e))),
  },
  { code: 'MODEL_RATE_LIMITED', when: (e) => e.status === 429 || (e.status < 500 && RATE_LIMITED.test(e.code ?? '')) },
  { code: 'MODEL_OVERLOADED', when: (e) => e.status === 529 || e.status === 503 || OVERLOADED.test(e.code ?? '') },
  { code: 'MODEL_CONTENT_FILTERED', when: (e) => [400, 403, 422].includes(e.status) && FILTERED.test(said(e)) },
  { code: 'MODEL_AUTH', when: (e) => e.status === 401 || e.status === 403 },
  { code: 'MODEL_AUTH', when: (e) => e.status === 400 && /api[_ ]key[_ ](not[_ ]valid|invalid)/i.test(said(e)) },
  { code: 'MODEL_CONTEXT_TOO_LONG', when: (e) => e.status === 413 || (e.status === 400 && TOO_LONG.test(said(e))) },
  {
    code: 'MODEL_UNAVAILABLE',
    when: (e) => e.status === 408 || e.status === 409 || e.status === 425 || e.status >= 500,
  },
  { code: 'MODEL_BAD_REQUEST', when: (e) => e.status >= 400 },
];

const DETAIL = 500;

/** An answer with an error; `MODEL_UNAVAILABLE` where it has no status. */
export function modelError(provider: string, error: VendorError, cause?: unknown): AppError {
  const { status = 0, message } = error;
  const code = ERROR_RULES.find(({ when }) => when({ ...error, status, message }))?.code ?? 'MODEL_UNAVAILABLE';
  const wait = error.retryAfterMs ?? waitOf(error);
  return new AppError(
    code,
    {
      provider,
      detail: message.slice(0, DETAIL),
      ...(status === 0 ? {} : { httpStatus: status }),
      ...(wait === undefined || !['MODEL_RATE_LIMITED', 'MODEL_OVERLOADED', 'MODEL_UNAVAILABLE'].includes(code)
        ? {}
        : { retryAfterMs: wait }),
    },
    cause,
  );
}

function waitOf({ header }: VendorError): number | undefined {
  const exact = Number(header?.('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(exact) && exact >= 0) return Math.min(Math.round(exact), 3_600_000);
  return retryAfterMs(header?.('retry-after'), Date.now());
}

/** No answer, or one that nobody can read. */
export function unavailable(provider: string, detail: string, cause?: unknown, fields: ErrorFields = {}): AppError {
  return new AppError('MODEL_UNAVAILABLE', { provider, detail, ...fields }, cause);
}

export function unsupported(provider: string, detail: string): AppError {
  return new AppError('MODEL_UNSUPPORTED', { provider, detail });
}

/** The system's own words, such as ECONNREFUSED, which SDKs hide some causes down. */
export function rootMessage(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error ?? 'the connection failed');
  const { message, code, cause } = error as { message?: string; code?: string; cause?: unknown };
  return typeof cause === 'object' && cause !== null ? rootMessage(cause) : message || code || 'the connection failed';
}
