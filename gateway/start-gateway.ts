import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { expressMiddleware } from '@as-integrations/express5';
import express from 'express';
import type { Logger } from 'pino';
import { Pool } from 'undici';
import { answerHttpErrors, createHttpApp } from '../adapters/express/http-app.ts';
import { createHttpMetrics } from '../adapters/express/http-metrics.ts';
import { listen } from '../adapters/express/listen.ts';
import type { RequestTrace } from '../adapters/express/request-trace.ts';
import type { Settings } from '../config/settings.ts';
import { accessRules } from './access-rules.ts';
import { createAuthenticator, signedIdentity } from './authenticate.ts';
import { explorer } from './explorer.ts';
import { formatError } from './format-error.ts';
import { limitNestedLists } from './limit-nested-lists.ts';
import { createSubgraphMetrics, type SubgraphMetrics } from './subgraph-metrics.ts';
import { createSubgraphSource, type SubgraphContext } from './subgraph-source.ts';
import { SUBGRAPHS } from './subgraphs.ts';
import { SUPERGRAPH_FILE } from './supergraph-file.ts';

export type RunningGateway = { port: number; stop: () => Promise<void> };
type Parts = { settings: Settings; log: Logger; metrics: SubgraphMetrics; traces: AsyncLocalStorage<RequestTrace> };

const GRAPHQL_PATH = '/graphql';

/** Of one document; whatever is larger belongs in variables. */
const MAXIMUM_TOKENS = 50_000;
const SOCKETS_PER_SUBGRAPH = 64;
/** Room for the query and the other variables beside the largest payload. */
const BODY_OVERHEAD_BYTES = 4 * 1024 * 1024;

/** Serves the committed supergraph. Subgraphs need not be up: their fields fail until they are. */
export async function startGateway(settings: Settings, log: Logger): Promise<RunningGateway> {
  const httpMetrics = createHttpMetrics();
  const traces = new AsyncLocalStorage<RequestTrace>();
  const parts: Parts = { settings, log, metrics: createSubgraphMetrics(httpMetrics.registry), traces };
  const sdl = readFileSync(SUPERGRAPH_FILE, 'utf8');
  const guarded = accessRules(sdl);
  let ready = false;
  const app = createHttpApp({
    log,
    metrics: httpMetrics,
    traces,
    readiness: () => Promise.resolve({ ready }),
    notable: [GRAPHQL_PATH],
    routeOf: (path) => path.replace(/^\/explorer\/.*/, '/explorer/*'),
  });
  app.get('/_service/schema', (_request, response) => void response.type('text/plain').send(sdl));
  const server = createServer(app);
  const authenticator = createAuthenticator(settings, log);
  const pools: Pool[] = [];
  const apollo = createApollo(parts, createGateway(parts, guarded.sdl, pools), server);
  await apollo.start();

  const bodyLimit = settings.WEFT_PAYLOAD_MAX_BYTES + BODY_OVERHEAD_BYTES;
  const context = async ({ res }: { res: express.Response }) => ({
    forward: forwardedHeaders(traces.getStore()),
    identity: signedIdentity(res),
  });
  app.use(explorer(GRAPHQL_PATH));
  app.use(
    GRAPHQL_PATH,
    authenticator.handler,
    express.json({ limit: bodyLimit }),
    expressMiddleware(apollo, { context }),
  );
  app.use(answerHttpErrors(log, bodyLimit));
  const port = await listen(server, settings.WEFT_HOST, settings.GATEWAY_PORT);
  ready = true;
  return {
    port,
    async stop() {
      ready = false;
      await apollo.stop();
      await authenticator.close();
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}

function createGateway({ settings, log, metrics }: Parts, supergraphSdl: string, pools: Pool[]): ApolloGateway {
  // Read by ApolloGateway's constructor; without it the planner reports to its vendor.
  process.env['APOLLO_TELEMETRY_DISABLED'] = '1';
  return new ApolloGateway({
    supergraphSdl,
    logger: log,
    __exposeQueryPlanExperimental: false,
    buildService({ name }) {
      const subgraph = SUBGRAPHS.find((candidate) => candidate.name === name);
      if (!subgraph) throw new Error(`The supergraph names subgraph ${name}, which is not in gateway/subgraphs.ts`);
      const url = new URL(settings[subgraph.urlSetting]);
      const pool = new Pool(url.origin, { connections: SOCKETS_PER_SUBGRAPH, keepAliveTimeout: 30_000 });
      pools.push(pool);
      return createSubgraphSource({
        name,
        url,
        pool,
        timeoutMs: settings.WEFT_SUBGRAPH_TIMEOUT_MS,
        observe(outcome, seconds, cause) {
          metrics.durations.observe({ subgraph: name, outcome }, seconds);
          if (cause) log.warn({ err: cause, subgraph: name, url: url.href }, 'subgraph did not answer');
        },
      });
    },
  });
}

function createApollo({ log, traces }: Parts, gateway: ApolloGateway, server: Server): ApolloServer<SubgraphContext> {
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

function forwardedHeaders(trace: RequestTrace | undefined): SubgraphContext['forward'] {
  return trace ? { traceparent: trace.traceparent, 'x-correlation-id': trace.correlationId } : {};
}
