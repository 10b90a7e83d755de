import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import { AppError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import { sendProblem } from '../http/problem.ts';
import type { RunsDeps } from './deps.ts';
import { confirmPage, donePage } from './webhooks-page.ts';
import { deliverToRun, openLink, type SignedLink } from './webhooks-deliver.ts';
import { parseBody, receiveMessage } from './webhooks-receive.ts';

export type WebhookRoutes = { maxBytes: number; logInternal: (error: unknown) => void };

export const HOOKS_PATH = '/hooks';

/** The doors for those who have not signed in but hold a secret or a link. */
export function mountWebhooks(app: Express, deps: RunsDeps, { maxBytes, logInternal }: WebhookRoutes): void {
  const body = rawBody(maxBytes);
  const answering =
    (answer: (request: Request, response: Response) => Promise<void>): RequestHandler =>
    async (request, response) => {
      response.setHeader('Cache-Control', 'no-store');
      try {
        await answer(request, response);
      } catch (error) {
        sendProblem(response, bodyError(error, maxBytes), logInternal);
      }
    };
  app.post(
    `${HOOKS_PATH}/:id`,
    answering(async (request, response) => {
      const accepted = await receiveMessage(deps, {
        webhookId: String(request.params['id']),
        headers: headersOf(request),
        query: queryOf(request),
        body: await body(request, response),
      });
      response.status(202).json(accepted);
    }),
  );
  app.post(
    `${HOOKS_PATH}/runs/:runId/:nodeId`,
    answering(async (request, response) => {
      const bytes = await body(request, response);
      const data = parseBody(bytes, request.headers['content-type'] ?? '');
      const key = request.headers['webhook-id'] ?? request.headers['idempotency-key'];
      const delivered = await deliverToRun(deps, {
        link: linkOf(request),
        data,
        key: typeof key === 'string' && key !== '' ? key : null,
      });
      if (prefersHtml(request)) response.type('html').send(donePage());
      else response.json(delivered);
    }),
  );
  app.get(
    `${HOOKS_PATH}/runs/:runId/:nodeId`,
    answering(async (request, response) => {
      const run = await openLink(deps, linkOf(request));
      response.setHeader(
        'Content-Security-Policy',
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
      );
      response.type('html').send(confirmPage(run.workflowId));
    }),
  );
  app.all([`${HOOKS_PATH}/:id`, `${HOOKS_PATH}/runs/:runId/:nodeId`], (request, response) => {
    response.setHeader('Allow', 'POST');
    sendProblem(response, new AppError('METHOD_NOT_ALLOWED', { method: request.method, allowed: 'POST' }), logInternal);
  });
}

function rawBody(limit: number): (request: Request, response: Response) => Promise<Buffer> {
  const read = express.raw({ type: () => true, limit });
  return (request, response) =>
    new Promise((resolve, reject) => {
      read(request, response, (error?: unknown) => {
        if (error) reject(error);
        else resolve(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
      });
    });
}

function bodyError(error: unknown, limitBytes: number): unknown {
  const { type, status, length } = error as { type?: unknown; status?: unknown; length?: unknown };
  if (type === 'entity.too.large') return new AppError('PAYLOAD_TOO_LARGE', { bytes: length ?? 'more', limitBytes });
  if (typeof type === 'string' && typeof status === 'number' && status < 500) {
    return new AppError('INPUT_INVALID', { detail: 'the body cannot be read' }, error);
  }
  return error;
}

function linkOf({ params, query }: Request): SignedLink {
  const { expires, signature } = query;
  return {
    runId: String(params['runId']),
    nodeId: String(params['nodeId']),
    expires: typeof expires === 'string' && /^\d{1,15}$/.test(expires) ? Number(expires) : NaN,
    signature: typeof signature === 'string' ? signature : '',
  };
}

function headersOf({ headers }: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}

/** Of a parameter that comes twice the last one counts. */
function queryOf({ url }: Request): JsonObject {
  return Object.fromEntries(new URL(url, 'http://localhost').searchParams);
}

const prefersHtml = ({ headers }: Request): boolean =>
  /\btext\/html\b/.test(headers.accept ?? '') &&
  /^application\/x-www-form-urlencoded\b/.test(headers['content-type'] ?? '');
