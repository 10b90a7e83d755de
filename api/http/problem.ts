import type { Response } from 'express';
import { AppError } from '../../domain/errors.ts';
import { toAppError } from '../graphql/to-app-error.ts';

/** Fields of an AppError that callers can work with; the others are in its message. */
const VISIBLE_FIELDS = ['paths', 'problems'] as const;

/** Answers with the error as problem JSON (RFC 9457). What is no AppError is a fault of ours, whose text stays in the log. */
export function sendProblem(response: Response, error: unknown, logInternal: (error: unknown) => void): void {
  const known = toAppError(error) ?? new AppError('INTERNAL', {}, error);
  if (known.code === 'INTERNAL') logInternal(error);
  const fields = VISIBLE_FIELDS.filter((name) => known.fields[name] !== undefined);
  response
    .status(known.status)
    .type('application/problem+json')
    .json({
      type: `urn:weft:error:${known.code}`,
      title: known.code,
      status: known.status,
      detail: known.message,
      code: known.code,
      ...(known.hint === undefined ? {} : { hint: known.hint }),
      ...Object.fromEntries(fields.map((name) => [name, known.fields[name]])),
    });
}
