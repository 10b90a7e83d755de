import type { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { HttpMetrics } from './http-metrics.ts';
import { requestTrace, type RequestTrace } from './request-trace.ts';

export type HttpAppOptions = {
  log: Logger;
  metrics: HttpMetrics;
  traces: AsyncLocalStorage<RequestTrace>;
  readiness: () => Promise<{ ready: boolean }>;
  /** What `/health` says beside the status and the time. */
  about?: () => Record<string, unknown>;
  /** Routes whose requests are logged at level info; the others at debug. */
  notable: readonly string[];
  /** The metrics' name of a path; default is the path itself. */
  routeOf?: (path: string) => string;
};

/** Health, metrics and the tracing of every request; a service mounts its doors on it. */
export function createHttpApp(options: HttpAppOptions): Express {
  const { metrics, readiness, about } = options;
  const app = express();
  app.disable('x-powered-by');
  app.use(traceRequests(options));
  app.get('/health', (_request, response) => {
    response.json({ status: 'healthy', timestamp: new Date(), ...about?.() });
  });
  app.get('/livez', (_request, response) => void response.json({ alive: true }));
  app.get('/readyz', async (_request, response) => {
    const answer = await readiness();
    response.status(answer.ready ? 200 : 503).json(answer);
  });
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  return app;
}

const traceRequests =
  (options: HttpAppOptions): RequestHandler =>
  (request, response, next) => {
    // By its template where it has one: a metric of its own for each id would fill the memory.
    const routeOf = (path: string) => routePath(request) ?? options.routeOf?.(path) ?? path;
    traceRequest({ ...options, routeOf }, request, response, request.path, next);
  };

function routePath({ baseUrl, route }: Request): string | undefined {
  const path: unknown = (route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? baseUrl + path : undefined;
}

/** Runs what answers a request inside its trace; counts, times and logs the answer. Needs no Express. */
export function traceRequest(
  { log, metrics, traces, notable, routeOf = (one) => one }: HttpAppOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  answer: () => void,
): void {
  const { method = '' } = request;
  const trace = requestTrace(request.headers);
  const began = performance.now();
  response.setHeader('X-Correlation-ID', trace.correlationId);
  response.once('finish', () => {
    const seconds = (performance.now() - began) / 1000;
    const route = response.statusCode === 404 ? 'unknown' : routeOf(path);
    metrics.requests.inc({ method, route, status: response.statusCode });
    metrics.durations.observe({ method, route }, seconds);
    const level = notable.includes(path) ? 'info' : 'debug';
    log[level]({ ...trace, method, route, status: response.statusCode, seconds }, 'request');
  });
  traces.run(trace, answer);
}

/** Answers what body parsing refuses; keeps everything else out of the answer. */
export function answerHttpErrors(log: Logger, bodyLimit: number): ErrorRequestHandler {
  return (error: { status?: unknown; type?: unknown }, _request, response, next) => {
    if (response.headersSent) return next(error);
    if (error.type === 'entity.too.large') {
      return void response.status(413).json(refusal('PAYLOAD_TOO_LARGE', `The request exceeds ${bodyLimit} bytes`));
    }
    if (typeof error.status === 'number' && error.status < 500) {
      return void response.status(error.status).json(refusal('BAD_REQUEST', 'The request body cannot be read as JSON'));
    }
    log.error({ err: error }, 'request failed');
    response.status(500).json(refusal('INTERNAL', 'Internal error; the log has the details'));
  };
}

function refusal(code: string, message: string) {
  return { errors: [{ message, extensions: { code } }] };
}
