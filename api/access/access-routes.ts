import express, { type RequestHandler, type Router } from 'express';
import { AppError } from '../../domain/errors.ts';
import { sendProblem } from '../http/problem.ts';
import { identify } from './identify.ts';
import { type Access, IDENTIFY_AUDIENCE, IDENTITY_HEADER } from './open-access.ts';

const JWKS_SECONDS = 300;

/** Public keys of access tokens, and the door by which the gateway asks who shows a token. */
export function accessRoutes(access: Access, logInternal: (error: unknown) => void): Router {
  const router = express.Router();
  const answer =
    (work: RequestHandler): RequestHandler =>
    async (request, response, next) => {
      try {
        await work(request, response, next);
      } catch (error) {
        sendProblem(response, error, logInternal);
      }
    };
  router.get(
    '/.well-known/jwks.json',
    answer(async (_request, response) => {
      const keys = await access.deps.signingKeys.publicKeys();
      response.set('Cache-Control', `public, max-age=${JWKS_SECONDS}`).json({ keys });
    }),
  );
  router.post(
    '/internal/identify',
    express.json({ limit: '16kb' }),
    answer(async (request, response) => {
      if (access.internal === null) throw new AppError('NOT_FOUND', { what: 'route', id: request.path });
      await access.internal.verify(request.get(IDENTITY_HEADER) ?? '', IDENTIFY_AUDIENCE);
      const { token, address } = request.body as { token?: unknown; address?: unknown };
      if (typeof token !== 'string') throw new AppError('INPUT_INVALID', { detail: 'token must be a string' });
      const from = typeof address === 'string' ? address : null;
      response.set('Cache-Control', 'no-store').json(await identify(access.deps, token, from));
    }),
  );
  return router;
}
