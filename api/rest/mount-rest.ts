import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { GraphQLSchema } from 'graphql';
import { AppError } from '../../domain/errors.ts';
import { isClosed, type RunStatus } from '../../domain/runs/run-status.ts';
import { exportRoute } from '../access/export-route.ts';
import type { Access } from '../access/open-access.ts';
import type { Principal } from '../access/principal.ts';
import { sendProblem } from '../http/problem.ts';
import type { RunsDeps } from '../runs/deps.ts';
import { etagOf, etagOfText, givenRequest } from './given-request.ts';
import { openApi } from './open-api.ts';
import { type Given, isConnection, listAnswer, type RestRoute, variablesOf } from './rest-route.ts';
import { REST_ROUTES } from './routes/all-routes.ts';
import { type PreparedQuery, prepareQuery } from './run-query.ts';
import { streamRunEvents } from './stream-run-events.ts';

export type RestParts = {
  schema: GraphQLSchema;
  access: Access;
  contextOf: (principal: Principal) => object;
  depsOf: (principal: Principal) => RunsDeps;
  bodyLimit: number;
  logInternal: (error: unknown) => void;
};
type Handled = { parts: RestParts; route: RestRoute; query: PreparedQuery; reading: PreparedQuery | undefined };

const EVENTS_PATH = '/runs/{id}/events';

/** Every route of the table, and the description of them. @throws OPERATION_UNDECLARED */
export function mountRest(app: Express, parts: RestParts): void {
  const router = express.Router();
  const description = openApi(parts.schema, REST_ROUTES);
  router.get('/openapi.json', (_request, response) => void response.json(description));
  const queries = new Map(REST_ROUTES.map((route) => [route, prepareQuery(parts.schema, route.document)]));
  for (const route of REST_ROUTES) {
    const reader = REST_ROUTES.find(({ method, path }) => method === 'get' && path === route.path);
    const handled: Handled = {
      ...{ parts, route, query: queries.get(route) as PreparedQuery },
      reading: reader && queries.get(reader),
    };
    router[route.method](
      expressPath(route.path),
      signedInAs(parts),
      express.json({ limit: parts.bodyLimit }),
      answer(handled),
    );
  }
  router.get('/tenants/:id/export', exportRoute(parts.access));
  for (const [path, methods] of methodsByPath()) router.all(expressPath(path), otherMethod(methods));
  router.use(refusals(parts));
  app.use(router);
}

function methodsByPath(): Map<string, string[]> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of REST_ROUTES) {
    const served = method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()];
    methods.set(path, [...(methods.get(path) ?? []), ...served]);
  }
  return methods;
}

/** A path that is served, by a method that it is not served by. */
function otherMethod(methods: readonly string[]): RequestHandler {
  const allowed = methods.join(', ');
  return (request, response) => {
    response.set('Allow', allowed);
    if (request.method === 'OPTIONS') return void response.status(204).end();
    throw new AppError('METHOD_NOT_ALLOWED', { method: request.method, allowed });
  };
}

export const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

function signedInAs({ access }: RestParts): RequestHandler {
  return async (request, response, next) => {
    response.locals['principal'] = await access.atTheDoor(request);
    next();
  };
}

function answer({ parts, route, query, reading }: Handled): RequestHandler {
  return async (request, response) => {
    const principal = response.locals['principal'] as Principal;
    const given = givenRequest(route, request);
    if (route.path === EVENTS_PATH && request.accepts(['json', 'text/event-stream']) === 'text/event-stream') {
      return streamRunEvents(parts.depsOf(principal), principal, given, request, response);
    }
    const context = parts.contextOf(principal);
    if (route.method !== 'get') await checkIfMatch(request, given, reading && (() => reading(context, given.path)));
    const result = await query(context, variablesOf(route, given));
    if (result === null || result === undefined)
      throw new AppError('NOT_FOUND', { what: route.operation, id: given.path['id'] ?? '' });
    send(response, route, given, result);
  };
}

function send(response: Response, route: RestRoute, given: Given, result: unknown): void {
  if (route.location) response.location(route.location(result as never));
  if (route.status === 204) return void response.status(204).end();
  const body = route.present ? route.present(result as never, given) : shown(result);
  const text = JSON.stringify(body);
  if (route.method === 'get') {
    const etag = etagOfText(text);
    response.set({ ETag: etag, 'Cache-Control': 'private, no-cache' });
    if (names(response.req.get('if-none-match'), etag)) return void response.status(304).end();
  }
  if (route.method !== 'get') response.set('Cache-Control', 'no-store');
  response
    .status(statusOf(route, given, result))
    .type('json')
    .send(text);
}

/** 200 once what was waited for is there. */
function statusOf({ waits, status = 200 }: RestRoute, { query }: Given, result: unknown): number {
  const closed = waits && query['waitMs'] !== undefined && isClosed((result as { status: RunStatus }).status);
  return closed ? 200 : status;
}

const shown = (result: unknown): unknown => (isConnection(result) ? listAnswer(result) : result);

/** @throws PRECONDITION_FAILED when it is not any more what the caller has seen */
async function checkIfMatch(request: Request, _: Given, read: (() => Promise<unknown>) | undefined): Promise<void> {
  const wanted = request.get('if-match');
  if (wanted === undefined || read === undefined) return;
  const now = await read();
  const etag = now === null || now === undefined ? undefined : etagOf(shown(now));
  if (etag === undefined || !names(wanted, etag)) throw new AppError('PRECONDITION_FAILED', { etag: etag ?? 'none' });
}

const names = (header: string | undefined, etag: string): boolean =>
  header !== undefined && header.split(',').some((one) => ['*', etag, `W/${etag}`].includes(one.trim()));

function refusals({ bodyLimit, logInternal }: RestParts): ErrorRequestHandler {
  return (error: { type?: string; status?: number; length?: number }, _request, response, next) => {
    if (response.headersSent) return next(error);
    const known = bodyError(error, bodyLimit) ?? error;
    if (known instanceof AppError && known.status === 401) response.set('WWW-Authenticate', 'Bearer');
    if (known instanceof AppError && typeof known.fields['retryAfterMs'] === 'number') {
      response.set('Retry-After', String(Math.ceil(known.fields['retryAfterMs'] / 1000)));
    }
    sendProblem(response, known, logInternal);
  };
}

function bodyError(
  error: { type?: string; status?: number; length?: number },
  limitBytes: number,
): AppError | undefined {
  if (error.type === 'entity.too.large') {
    return new AppError('PAYLOAD_TOO_LARGE', { where: 'The request', bytes: error.length ?? 'too many', limitBytes });
  }
  if (error instanceof AppError || typeof error.status !== 'number' || error.status >= 500) return undefined;
  if (error.status === 415) return new AppError('MEDIA_TYPE_UNSUPPORTED', { type: 'its charset or encoding' });
  return new AppError('INPUT_INVALID', { detail: 'the request cannot be read' });
}
