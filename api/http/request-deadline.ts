import type { RequestHandler, Response } from 'express';
import { AppError } from '../../domain/errors.ts';

/** How much longer whoever asks waits, in milliseconds. */
export const DEADLINE_HEADER = 'x-weft-deadline-ms';
const LOCAL = 'deadline';

/** Notes until when a request is waited for, and answers it then, whatever is still under way. */
export const requestDeadline: RequestHandler = (request, response, next) => {
  const leftMs = Number(request.get(DEADLINE_HEADER));
  if (!(leftMs > 0)) return next();
  response.locals[LOCAL] = Date.now() + leftMs;
  const timer = setTimeout(() => {
    if (response.headersSent) return;
    const { message, code, status } = new AppError('DEADLINE_EXCEEDED', { leftMs });
    // What is still under way may end the connection when it comes to answer: nobody else may be using it by then.
    response
      .set('connection', 'close')
      .status(status)
      .json({ errors: [{ message, extensions: { code } }] });
  }, leftMs);
  response.once('close', () => clearTimeout(timer));
  next();
};

/** Undefined where nobody said. */
export const deadlineIn = (response: Response): number | undefined => response.locals[LOCAL] as number | undefined;

/** Before each step of a request: nobody reads what comes later. @throws DEADLINE_EXCEEDED */
export function checkDeadline(deadline: number | undefined): void {
  if (deadline !== undefined && Date.now() >= deadline) throw new AppError('DEADLINE_EXCEEDED');
}
