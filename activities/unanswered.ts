import { AppError, type ErrorCode } from '../domain/errors.ts';

/** The other side was not there to take the request. */
const NEVER_SENT: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
  'UND_ERR_CONNECT_TIMEOUT',
]);
const NO_ANSWER: ReadonlySet<ErrorCode> = new Set(['HTTP_UNAVAILABLE', 'MODEL_UNAVAILABLE', 'TOOL_SERVER_UNAVAILABLE']);

/** Whether an error leaves open if the request took effect: it may have been sent, and no answer came. */
export function isUnanswered(error: unknown): boolean {
  if (!(error instanceof AppError)) return true;
  if (!NO_ANSWER.has(error.code) || error.fields['httpStatus'] !== undefined || error.fields['sent'] === false)
    return false;
  return !NEVER_SENT.has(rootCode(error.cause));
}

function rootCode(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return undefined;
  const { cause, code } = error as { cause?: unknown; code?: unknown };
  return rootCode(cause) ?? code;
}
