import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { expressMiddleware } from '@as-integrations/express5';
import express from 'express';
import type { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { answerHttpErrors, createHttpApp, type HttpAppOptions, traceRequest } from '../adapters/express/http-app.ts';
import { createHttpMetrics } from '../adapters/express/http-metrics.ts';
import { listen } from '../adapters/express/listen.ts';
import type { RequestTrace } from '../adapters/express/request-trace.ts';
import type { Settings } from '../config/settings.ts';
import { type Authenticator, createAuthenticator } from './authenticate.ts';
import { openCache } from './cache/open-cache.ts';
import { createGateway } from './create-gateway.ts';
import type { GatewayInterface } from './execute/plan-gateway.ts';
import { explorer } from './explorer.ts';
import { formatError } from './format-error.ts';
import { committedGraph, type Graph } from './graph.ts';
import { answerPost, type GraphqlDoor, isPlainPost } from './graphql-door.ts';
import { wantsEvents } from './live/live-streams.ts';
import { type LiveDoors, openLiveDoors } from './live/open-live-doors.ts';
import { limitNestedLists } from './limit-nested-lists.ts';
import { createSubgraphMetrics } from './subgraph-metrics.ts';
import type { SubgraphContext } from './subgraph-source.ts';

export type RunningGateway = { port: number; stop: () => Promise<void> };

const GRAPHQL_PATH = '/graphql';

/** Of one document; whatever is larger belongs in variables. */
const MAXIMUM_TOKENS = 50_000;
/** Room for the query and the other variables beside the largest payload. */
const BODY_OVERHEAD_BYTES = 4 * 1024 * 1024;

/** Serves a graph. Subgraphs need not be up: their fields fail until they are. */
export async function startGateway(
  settings: Settings,
  log: Logger,
  graph: Graph = committedGraph(settings),
): Promise<RunningGateway> {
  const httpMetrics = createHttpMetrics();
  const traces = new AsyncLocalStorage<RequestTrace>();
  const metrics = createSubgraphMetrics(httpMetrics.registry);
  let ready = false;
  const tracing: HttpAppOptions = {
    log,
    metrics: httpMetrics,
    traces,
    readiness: () => Promise.resolve({ ready }),
    notable: [GRAPHQL_PATH],
    routeOf: (path) => path.replace(/^\/explorer\/.*/, '/explorer/*'),
  };
  const app = createHttpApp(tracing);
  app.get('/_service/schema', (_request, response) => void response.type('text/plain').send(graph.supergraphSdl));
  const server = createServer();
  const authenticator = createAuthenticator(settings, log);
  const cache = openCache({ settings, registry: httpMetrics.registry, log, signed: authenticator.asGateway });
  const { gateway, own, close } = createGateway({ settings, log, metrics, graph, entities: cache.entities });
  const apollo = createApollo({ log, traces }, gateway, server);
  await apollo.start();

  const bodyLimit = settings.WEFT_PAYLOAD_MAX_BYTES + BODY_OVERHEAD_BYTES;
  const context = async (request: IncomingMessage) => ({
    forward: forwardedHeaders(traces.getStore()),
    ...authenticator.admitted(request),
  });
  app.use(explorer(GRAPHQL_PATH));
  app.use(
    GRAPHQL_PATH,
    admission(authenticator).handler,
    express.json({ limit: bodyLimit }),
    expressMiddleware(apollo, { context: ({ req }) => context(req) }),
  );
  app.use(answerHttpErrors(log, bodyLimit));
  const live =
    own &&
    openLiveDoors({ ...authenticator, ...own, ...liveSettings(settings, log), addressOf: graph.addressOf, bodyLimit });
  const door = { apollo, context, bodyLimit, admits: authenticator.admits, parts: live?.parts };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const answer = directAnswer(request, door, live);
    if (answer === null) return void app(request, response);
    traceRequest(tracing, request, response, GRAPHQL_PATH, () => {
      answer(request, response).catch((error: unknown) => failed(error, response, log));
    });
  });
  live?.attach(server);
  const port = await listen(server, settings.WEFT_HOST, settings.GATEWAY_PORT);
  ready = true;
  return {
    port,
    async stop() {
      ready = false;
      await live?.close();
      await apollo.stop();
      await cache.close();
      await authenticator.close();
      await close();
    },
  };
}

type ApolloParts = { log: Logger; traces: AsyncLocalStorage<RequestTrace> };

function createApollo(
  { log, traces }: ApolloParts,
  gateway: GatewayInterface,
  server: Server,
): ApolloServer<SubgraphContext> {
  return new ApolloServer<SubgraphContext>({
    gateway,
    logger: log,
    introspection: true,
    parseOptions: { maxTokens: MAXIMUM_TOKENS },
    validationRules: [limitNestedLists],
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    formatError: (formatted, error) => {
      const traceId = traces.getStore()?.traceId;
      return formatError(formatted, traceId, () => log.error({ err: error, traceId }, 'request failed'));
    },
    plugins: [
      ApolloServerPluginDrainHttpServer({ httpServer: server, stopGracePeriodMillis: 5000 }),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
    ],
  });
}

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** What answers a request ahead of Express, or null. */
function directAnswer(
  request: IncomingMessage,
  door: GraphqlDoor<SubgraphContext>,
  live: LiveDoors | null,
): Answer | null {
  const [path] = (request.url ?? '').split('?');
  if (path !== GRAPHQL_PATH) return null;
  if (live && wantsEvents(request) && ['GET', 'POST'].includes(request.method ?? '')) return live.events;
  return request.url === GRAPHQL_PATH && isPlainPost(request)
    ? (plain, response) => answerPost(door, plain, response)
    : null;
}

function liveSettings({ WEFT_CORS_ORIGINS }: Settings, log: Logger) {
  return {
    ...{ path: GRAPHQL_PATH, rules: [limitNestedLists], maxTokens: MAXIMUM_TOKENS, origins: WEFT_CORS_ORIGINS, log },
    formatError: (error: GraphQLError) =>
      formatError(error.toJSON(), undefined, () => log.error({ err: error }, 'operation failed')),
  };
}

function admission({ admits }: Authenticator): { handler: express.RequestHandler } {
  return {
    async handler(request, response, next) {
      if (await admits(request, response)) next();
    },
  };
}

function forwardedHeaders(trace: RequestTrace | undefined): SubgraphContext['forward'] {
  return trace ? { traceparent: trace.traceparent, 'x-correlation-id': trace.correlationId } : {};
}

function failed(error: unknown, response: ServerResponse, log: Logger): void {
  log.error({ err: error }, 'request failed');
  if (response.headersSent) return void response.destroy();
  const body = { errors: [{ message: 'Internal error; the log has the details', extensions: { code: 'INTERNAL' } }] };
  response.writeHead(500, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}
