import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express';
import type { Logger } from 'pino';
import { AppError } from '../../domain/errors.ts';
import type { RemoteCodec } from '../../temporal/remote-codec.ts';
import { checkCodecAccess, codecOrigins, type CodecSettings } from './codec-access.ts';

export type CodecParts = {
  settings: CodecSettings;
  codec: RemoteCodec;
  /** Of a request, whose bytes are a third longer than those in it. */
  bodyLimit: number;
  log: Logger;
};

const PREFLIGHT_SECONDS = 600;
const HEADERS = 'Content-Type, X-Namespace, Authorization, Authorization-Extras';

/** Temporal's remote codec protocol: POST /encode and /decode, each with `{payloads}` in and out. */
export function codecRoutes(parts: CodecParts): Router {
  const { settings, codec } = parts;
  const router = express.Router();
  router.use(allowOrigins(settings));
  router.options(['/encode', '/decode'], (_request, response) => void response.status(204).end());
  router.use((request, _response, next) => {
    checkCodecAccess(settings, request);
    // Any other type a page may send without asking first.
    if (!request.is('application/json')) throw new AppError('INPUT_INVALID', { detail: 'send application/json' });
    next();
  });
  router.use(express.json({ limit: parts.bodyLimit }));
  router.post('/encode', answer(codec.encode));
  router.post('/decode', answer(codec.decode));
  router.use(answerErrors(parts.log));
  return router;
}

function allowOrigins(settings: CodecSettings): RequestHandler {
  const origins = codecOrigins(settings);
  return ({ headers: { origin } }, response, next) => {
    response.vary('Origin');
    if (origin !== undefined && origins.has(origin)) {
      response.set({
        'Access-Control-Allow-Origin': origin,
        'Access-Control-Allow-Credentials': 'true',
        'Access-Control-Allow-Methods': 'POST',
        'Access-Control-Allow-Headers': HEADERS,
        'Access-Control-Max-Age': String(PREFLIGHT_SECONDS),
      });
    }
    next();
  };
}

function answer(work: RemoteCodec['encode']): RequestHandler {
  return async (request, response) => {
    response.set('Cache-Control', 'no-store').json(await work(request.body));
  };
}

/** Web UI and CLI show the message; what is no error of ours goes on to the app's own handler. */
function answerErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (!(error instanceof AppError)) return next(error);
    const { code, message, hint, status } = error;
    if (status >= 500) log.warn({ err: error }, 'payloads could not be decoded');
    response.status(status).json({ code, message, ...(hint === undefined ? {} : { hint }) });
  };
}
