import type { RequestHandler, Response } from 'express';
import { toAppError } from '../graphql/to-app-error.ts';
import type { Principal } from './principal.ts';

/** Finds out who asks before anything else of the request is looked at; a refusal is a GraphQL answer with its status. */
export function signedIn(
  principalFrom: (request: Parameters<RequestHandler>[0]) => Promise<Principal>,
): RequestHandler {
  return async (request, response, next) => {
    try {
      response.locals['principal'] = await principalFrom(request);
    } catch (error) {
      const known = toAppError(error);
      if (!known) return next(error);
      const { code, hint, message, status } = known;
      if (status === 401) response.set('WWW-Authenticate', 'Bearer');
      response
        .status(status)
        .json({ errors: [{ message, extensions: { code, ...(hint !== undefined && { hint }) } }] });
      return;
    }
    next();
  };
}

export const principalIn = (response: Response): Principal => response.locals['principal'] as Principal;
