import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
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
import { createBoundedServer } from '../adapters/express/bounded-server.ts';
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
import type { Graph } from './graph.ts';
import { answerPost, type GraphqlDoor, isPlainPost } from './graphql-door.ts';
import { wantsEvents } from './live/live-streams.ts';
import { type LiveDoors, openLiveDoors } from './live/open-live-doors.ts';
import { limitNestedLists } from './limit-nested-lists.ts';
import { forbidIntrospection, tellsSchema, withoutSuggestions } from './limits/hide-schema.ts';
import type { Limits } from './limits/limits.ts';
import { deadlineOf, wantsFigures } from './live/live-caller.ts';
import { gateRequests, openOperationDoor } from './operation-doors.ts';
import { mountHealth } from './mount-health.ts';
import { openGraphSource } from './registry/graph-source.ts';
import { fixedSource } from './registry/graph-state.ts';
import { createSubgraphMetrics } from './subgraph-metrics.ts';
import type { SubgraphContext } from './subgraph-source.ts';

export type RunningGateway = { port: number; stop: () => Promise<void> };

const GRAPHQL_PATH = '/graphql';
/** Longer than clients and proxies keep idle sockets, so that it is they who close them. */
const KEEP_ALIVE_MS = 65_000;

/** Room for the query and the other variables beside the largest payload. */
const BODY_OVERHEAD_BYTES = 4 * 1024 * 1024;

/** Serves a graph. Subgraphs need not be up: their fields fail until they are. */
export async function startGateway(settings: Settings, log: Logger, graph?: Graph): Promise<RunningGateway> {
  const source = graph === undefined ? openGraphSource(settings, log) : fixedSource(graph);
  let served = source.first;
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
  app.get(
    '/_service/schema',
    tellSchema(settings, () => served.supergraphSdl),
  );
  const server = serverOf(settings);
  const authenticator = createAuthenticator(settings, log);
  const cache = openCache({ settings, registry: httpMetrics.registry, log, signed: authenticator.asGateway });
  const operations = openOperationDoor(settings, log, authenticator);
  const { limits, figures } = operations;
  const created = createGateway({ settings, log, metrics, graph: served, limits, entities: cache.entities });
  const { gateway, own, close, subgraphs, swap } = created;
  mountHealth(app, { settings, source, names: subgraphs, log });
  const apollo = createApollo({ log, traces, settings, limits }, gateway, server);
  await apollo.start();
  await source.follow(async (next) => {
    await swap(next);
    served = next;
    cache.entities?.clear();
  });

  const bodyLimit = settings.WEFT_PAYLOAD_MAX_BYTES + BODY_OVERHEAD_BYTES;
  const context = async (request: IncomingMessage) => ({
    forward: forwardedHeaders(traces.getStore()),
    ...authenticator.admitted(request),
    figures: wantsFigures(request) ? figures : undefined,
    deadline: deadlineOf(request, settings.WEFT_GATEWAY_DEADLINE_MS),
  });
  app.use(explorer(GRAPHQL_PATH));
  app.use(
    GRAPHQL_PATH,
    admission(authenticator).handler,
    express.json({ limit: bodyLimit }),
    gateRequests(operations).handler,
    expressMiddleware(apollo, { context: ({ req }) => context(req) }),
  );
  app.use(answerHttpErrors(log, bodyLimit));
  const common = { ...operations, ...liveSettings(settings, log), addressOf: served.addressOf, bodyLimit };
  const live = own && openLiveDoors({ ...authenticator, ...own, ...common });
  const door = { apollo, context, bodyLimit, admits: authenticator.admits, parts: live?.parts, gate: operations.gate };
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
      await sleep(settings.WEFT_DRAIN_MS);
      await source.close();
      await live?.close();
      await apollo.stop();
      await cache.close();
      await authenticator.close();
      await operations.close();
      await close();
    },
  };
}

function tellSchema(settings: Settings, sdl: () => string): express.RequestHandler {
  return (_request, response) => {
    if (tellsSchema(settings)) return void response.type('text/plain').send(sdl());
    response
      .status(403)
      .json({ errors: [{ message: 'The schema is not told here', extensions: { code: 'INTROSPECTION_DISABLED' } }] });
  };
}

function serverOf({ WEFT_HTTP_HEADERS_MS: headersMs, WEFT_HTTP_REQUEST_MS: requestMs }: Settings): Server {
  return createBoundedServer({ headersMs, requestMs, keepAliveMs: KEEP_ALIVE_MS });
}

type ApolloParts = { log: Logger; traces: AsyncLocalStorage<RequestTrace>; settings: Settings; limits: Limits };

function createApollo(
  { log, traces, settings, limits }: ApolloParts,
  gateway: GatewayInterface,
  server: Server,
): ApolloServer<SubgraphContext> {
  return new ApolloServer<SubgraphContext>({
    gateway,
    logger: log,
    introspection: true,
    parseOptions: { maxTokens: limits.tokens },
    validationRules: validationRules(settings),
    allowBatchedHttpRequests: limits.batch > 1,
    // The gate has put the text in the place of the hash.
    persistedQueries: false,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    formatError: (formatted, error) => {
      const traceId = traces.getStore()?.traceId;
      const shown = tellsSchema(settings) ? formatted : withoutSuggestions(formatted);
      return formatError(shown, traceId, () => log.error({ err: error, traceId }, 'request failed'));
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

function validationRules(settings: Settings) {
  return tellsSchema(settings) ? [limitNestedLists] : [limitNestedLists, forbidIntrospection];
}

function liveSettings(settings: Settings, log: Logger) {
  const { WEFT_CORS_ORIGINS: origins, WEFT_GATEWAY_MAX_TOKENS: maxTokens } = settings;
  const shown = (error: GraphQLError) => (tellsSchema(settings) ? error.toJSON() : withoutSuggestions(error.toJSON()));
  return {
    deadlineMs: settings.WEFT_GATEWAY_DEADLINE_MS,
    ...{ path: GRAPHQL_PATH, rules: validationRules(settings), maxTokens, origins, log },
    formatError: (error: GraphQLError) =>
      formatError(shown(error), undefined, () => log.error({ err: error }, 'operation failed')),
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
