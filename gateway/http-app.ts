import type { AsyncLocalStorage } from 'node:async_hooks';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { GatewayMetrics } from './metrics.ts';
import { requestTrace, type RequestTrace } from './request-trace.ts';

export type HttpAppOptions = {
  log: Logger;
  metrics: GatewayMetrics;
  traces: AsyncLocalStorage<RequestTrace>;
  sdl: string;
  ready: () => boolean;
};

export const GRAPHQL_PATH = '/graphql';

/** Everything but GraphQL itself. */
export function createHttpApp({ log, metrics, traces, sdl, ready }: HttpAppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(traceRequests(log, metrics, traces));
  app.get('/health', (_request, response) => void response.json({ status: 'healthy', timestamp: new Date() }));
  app.get('/livez', (_request, response) => void response.json({ alive: true }));
  app.get('/readyz', (_request, response) => void response.status(ready() ? 200 : 503).json({ ready: ready() }));
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  app.get('/_service/schema', (_request, response) => void response.type('text/plain').send(sdl));
  return app;
}

function traceRequests(log: Logger, metrics: GatewayMetrics, traces: AsyncLocalStorage<RequestTrace>): RequestHandler {
  return (request, response, next) => {
    const { method, path } = request;
    const trace = requestTrace(request.headers);
    const began = performance.now();
    response.setHeader('X-Correlation-ID', trace.correlationId);
    response.once('finish', () => {
      const seconds = (performance.now() - began) / 1000;
      const route = response.statusCode === 404 ? 'unknown' : path.replace(/^\/explorer\/.*/, '/explorer/*');
      metrics.requests.inc({ method, route, status: response.statusCode });
      metrics.durations.observe({ method, route }, seconds);
      const level = path === GRAPHQL_PATH ? 'info' : 'debug';
      log[level]({ ...trace, method, route, status: response.statusCode, seconds }, 'request');
    });
    traces.run(trace, next);
  };
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
