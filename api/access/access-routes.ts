import express, { type RequestHandler, type Router } from 'express';
import { AppError } from '../../domain/errors.ts';
import { sendProblem } from '../http/problem.ts';
import { identify, refused } from './identify.ts';
import { OIDC_CALLBACK, type OidcSignIns } from './oidc-sign-in.ts';
import { principalOf } from './principal.ts';
import { type Access, addressOf, IDENTIFY_AUDIENCE, IDENTITY_HEADER } from './open-access.ts';

const JWKS_SECONDS = 300;

/** Public keys of access tokens, and the door by which the gateway asks who shows a token and tells of whom it refused. */
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
  router.post(
    '/internal/refused',
    express.json({ limit: '16kb' }),
    answer(async (request, response) => {
      if (access.internal === null) throw new AppError('NOT_FOUND', { what: 'route', id: request.path });
      const identity = await access.internal.verify(request.get(IDENTITY_HEADER) ?? '', IDENTIFY_AUDIENCE);
      const { operation, permission } = request.body as { operation?: unknown; permission?: unknown };
      access.watch?.refused(principalOf(identity), String(operation), String(permission));
      response.status(204).end();
    }),
  );
  if (access.oidc) mountOidc(router, access, access.oidc, answer);
  return router;
}

const STATE_COOKIE = 'weft_oidc';

/** The state comes back by the provider and by the browser: nobody can be made to finish a sign-in that another has begun. */
function mountOidc(
  router: Router,
  { origins }: Access,
  oidc: OidcSignIns,
  answer: (work: RequestHandler) => RequestHandler,
): void {
  router.get(
    '/login/oidc',
    answer(async (request, response) => {
      const { returnTo } = request.query;
      const { url, state } = await oidc.begin(typeof returnTo === 'string' ? allowed(returnTo, origins) : null);
      const secure = request.secure ? '; Secure' : '';
      const cookie = `${STATE_COOKIE}=${state}; Path=${OIDC_CALLBACK}; HttpOnly; SameSite=Lax; Max-Age=600${secure}`;
      response.set({ 'Set-Cookie': cookie, 'Cache-Control': 'no-store' }).redirect(302, url);
    }),
  );
  router.get(
    OIDC_CALLBACK,
    answer(async (request, response) => {
      const state = new RegExp(`(?:^|; )${STATE_COOKIE}=([\\w-]+)`).exec(request.get('cookie') ?? '')?.[1];
      if (state === undefined || state !== request.query['state']) throw refused('this browser has begun no sign-in');
      const url = new URL(request.originalUrl, oidc.publicUrl);
      const { tokens, returnTo } = await oidc.finish(url, state, addressOf(request));
      response.set('Set-Cookie', `${STATE_COOKIE}=; Path=${OIDC_CALLBACK}; HttpOnly; SameSite=Lax; Max-Age=0`);
      response.set('Cache-Control', 'no-store');
      if (returnTo === null) return void response.json(tokens);
      response.redirect(
        303,
        `${returnTo}#${new URLSearchParams({ ...tokens, expiresIn: String(tokens.expiresIn), mustChangePassword: 'false' }).toString()}`,
      );
    }),
  );
}

/** @throws INPUT_INVALID */
function allowed(returnTo: string, origins: readonly string[]): string {
  if (URL.canParse(returnTo) && origins.includes(new URL(returnTo).origin)) return new URL(returnTo).href;
  throw new AppError('INPUT_INVALID', { detail: 'returnTo must be a page of an origin in WEFT_CORS_ORIGINS' });
}
